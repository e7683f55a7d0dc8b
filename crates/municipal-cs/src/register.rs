//! What the interfaces of the existing register share: submit, ask, papers.

use juki_domain::{ChangeReason, ChangeRequest, ErrorCode};
use juki_node::EngineHandle;
use juki_services::registration::{
    LocalRegistration, Registered, RegistrationOutcome, change_message, local_registration,
};
use prost::Message as _;
use tokio::sync::oneshot;

use crate::papers::Papers;

const SERVICE: &str = "registration";

/// The register's counter at the communication server.
#[derive(Clone)]
pub(crate) struct Register {
    handle: EngineHandle,
    papers: Papers,
}

/// An answer that is on its way.
pub(crate) struct Submitted(oneshot::Receiver<Vec<u8>>);

impl Register {
    pub(crate) fn new(handle: EngineHandle) -> Self {
        let papers = Papers::new(std::sync::Arc::clone(handle.prepared()));
        Self { handle, papers }
    }

    /// Hands a change over: changes handed over one after the other are decided in that order.
    pub(crate) async fn submit(
        &self,
        key: &str,
        request: &ChangeRequest,
    ) -> Result<Submitted, ErrorCode> {
        let presented = (request.reason == ChangeReason::MoveIn)
            .then(|| {
                request
                    .certificate
                    .as_deref()
                    .and_then(|number| self.papers.presented(number))
            })
            .flatten();
        let message = change_message(key, request, presented);
        self.handle
            .begin(SERVICE, message)
            .await
            .map(Submitted)
            .map_err(|_| ErrorCode::LineDown)
    }

    /// Waits until the change is durable or refused, and hands out the certificate it made.
    pub(crate) async fn settled(&self, submitted: Submitted) -> Result<Registered, ErrorCode> {
        let bytes = submitted.0.await.map_err(|_| ErrorCode::LineDown)?;
        let registered =
            Registered::decode(bytes.as_slice()).map_err(|_| ErrorCode::FrameGarbage)?;
        if let Some(certificate) = &registered.certificate
            && let Err(error) = self.papers.hand_out(certificate)
        {
            tracing::error!(event = "certificate.not_written", code = ErrorCode::DiskFailed.code(), %error);
            return Err(ErrorCode::DiskFailed);
        }
        Ok(registered)
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
