//! What the interfaces of the existing register share: submit, ask, papers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use juki_dispatch::BatchAnswer;
use juki_domain::{
    ChangeReason, ChangeRequest, CivilDate, ErrorCode, MunicipalityCode, RegisterNumber,
};
use juki_intake::Scope;
use juki_node::EngineHandle;
use juki_services::registration::{
    Certificate, LocalRegistration, Registered, RegistrationOutcome, Resident, ResidentsAsk,
    ResidentsPage, change_message, find_message, local_registration, row_message,
};
use prost::Message as _;
use tokio::sync::oneshot;

use crate::import::Imports;
use crate::papers::Papers;

const SERVICE: &str = "registration";

/// The register's counter at the communication server.
#[derive(Clone)]
pub(crate) struct Register {
    handle: EngineHandle,
    municipality: MunicipalityCode,
    papers: Papers,
    imports: Imports,
    codes_left: Arc<AtomicU32>,
}

/// An answer that is on its way.
pub(crate) struct Submitted(oneshot::Receiver<Vec<u8>>);

/// The answers to some rows of a file that are on their way.
pub(crate) struct BatchSubmitted(oneshot::Receiver<Vec<u8>>);

impl Register {
    pub(crate) fn new(
        handle: EngineHandle,
        municipality: MunicipalityCode,
        imports: Imports,
        codes_left: Arc<AtomicU32>,
    ) -> Self {
        let papers = Papers::new(Arc::clone(handle.prepared()));
        Self {
            handle,
            municipality,
            papers,
            imports,
            codes_left,
        }
    }

    /// How many codes the stock held at the end of the node's last turn.
    pub(crate) fn codes_left(&self) -> u32 {
        self.codes_left.load(Ordering::Relaxed)
    }

    /// The network's civil date.
    pub(crate) fn today(&self) -> CivilDate {
        let prepared = self.handle.prepared();
        let calendar = &prepared.config.calendar;
        let seconds = prepared.machine.clock.now_ms() / 1000;
        // A clock beyond the years of the calendar has stopped the node's services already.
        calendar.date_at(seconds).unwrap_or(calendar.base)
    }

    /// Whose rows are taken, and when it is.
    pub(crate) fn scope(&self) -> Scope {
        Scope {
            municipality: self.municipality,
            name: self.handle.prepared().config.node.label.clone(),
            today: self.today(),
        }
    }

    /// How many residents stood here a moment ago.
    pub(crate) fn residents_count(&self) -> u64 {
        self.handle.reports().residents
    }

    /// What all imports share.
    pub(crate) fn imports(&self) -> &Imports {
        &self.imports
    }

    /// Hands a change over: changes handed over one after the other are decided in that order.
    pub(crate) async fn submit(
        &self,
        key: &str,
        request: &ChangeRequest,
    ) -> Result<Submitted, ErrorCode> {
        let message = change_message(key, request, self.presented(request));
        self.handle
            .begin(SERVICE, message)
            .await
            .map(Submitted)
            .map_err(|_| ErrorCode::LineDown)
    }

    /// Waits until the change is durable or refused, and hands out the certificate it made.
    pub(crate) async fn settled(&self, submitted: Submitted) -> Result<Registered, ErrorCode> {
        let bytes = submitted.0.await.map_err(|_| ErrorCode::LineDown)?;
        self.read(&bytes)
    }

    /// Hands rows of a file over, to be decided in their order; `initial` says that the file is one
    /// of all residents.
    pub(crate) async fn submit_rows(
        &self,
        rows: impl Iterator<Item = &ChangeRequest>,
        initial: bool,
    ) -> Result<BatchSubmitted, ErrorCode> {
        let messages = rows.map(|row| row_message(row, self.presented(row), initial));
        self.handle
            .begin_batch(SERVICE, messages.collect())
            .await
            .map(BatchSubmitted)
            .map_err(|_| ErrorCode::LineDown)
    }

    /// Waits until all rows are durable or refused, and hands out the certificates they made.
    pub(crate) async fn settled_rows(
        &self,
        submitted: BatchSubmitted,
    ) -> Result<Vec<Registered>, ErrorCode> {
        let bytes = submitted.0.await.map_err(|_| ErrorCode::LineDown)?;
        let answer = BatchAnswer::decode(bytes.as_slice()).map_err(|_| ErrorCode::FrameGarbage)?;
        answer.bodies.iter().map(|body| self.read(body)).collect()
    }

    /// Reads an answer and hands out the certificate in it.
    fn read(&self, bytes: &[u8]) -> Result<Registered, ErrorCode> {
        let registered = Registered::decode(bytes).map_err(|_| ErrorCode::FrameGarbage)?;
        if let Some(certificate) = &registered.certificate
            && let Err(error) = self.papers.hand_out(certificate)
        {
            tracing::error!(event = "certificate.not_written", code = ErrorCode::DiskFailed.code(), %error);
            return Err(ErrorCode::DiskFailed);
        }
        Ok(registered)
    }

    /// The certificate that a move-in presents, where it is at hand.
    fn presented(&self, request: &ChangeRequest) -> Option<Certificate> {
        if request.reason != ChangeReason::MoveIn {
            return None;
        }
        self.papers.presented(request.certificate.as_deref()?)
    }

    /// A page of the residents, behind the last of the page before.
    pub(crate) async fn residents(&self, ask: ResidentsAsk) -> Result<ResidentsPage, ErrorCode> {
        let answer = self.handle.call(SERVICE, ask.message()).await;
        let bytes = answer.map_err(|_| ErrorCode::LineDown)?;
        ResidentsPage::decode(bytes.as_slice()).map_err(|_| ErrorCode::FrameGarbage)
    }

    /// The residents with these numbers, in their order.
    pub(crate) async fn find(
        &self,
        numbers: impl Iterator<Item = &RegisterNumber>,
    ) -> Result<Vec<Resident>, ErrorCode> {
        let messages = numbers.map(|number| find_message(number.reveal()));
        let begun = self.handle.begin_batch(SERVICE, messages.collect()).await;
        let answer = begun.map_err(|_| ErrorCode::LineDown)?.await;
        let bytes = answer.map_err(|_| ErrorCode::LineDown)?;
        let answer = BatchAnswer::decode(bytes.as_slice()).map_err(|_| ErrorCode::FrameGarbage)?;
        let found = answer
            .bodies
            .iter()
            .map(|body| Resident::decode(body.as_slice()).map_err(|_| ErrorCode::FrameGarbage));
        found.collect()
    }

    /// What became of an earlier change.
    pub(crate) async fn state(&self, key: &str) -> Result<Registered, ErrorCode> {
        let message = LocalRegistration {
            kind: Some(local_registration::Kind::State(key.to_owned())),
        }
        .encode_to_vec();
        let bytes = self
            .handle
            .call(SERVICE, message)
            .await
            .map_err(|_| ErrorCode::LineDown)?;
        Registered::decode(bytes.as_slice()).map_err(|_| ErrorCode::FrameGarbage)
    }
}

/// The code of a refusal, if the answer is one.
pub(crate) fn refusal(registered: &Registered) -> Option<ErrorCode> {
    (registered.outcome == RegistrationOutcome::Refused as u32)
        .then(|| ErrorCode::from_code(&registered.refusal).unwrap_or(ErrorCode::ValueInvalid))
}
