//! The running node, as its operator sees it over the admin socket.

use std::cell::RefCell;
use std::path::Path;

use juki_admin::AdminClient;
use juki_domain::{ErrorCode, Lang};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::failure::Failure;

/// An inquiry.
#[derive(Serialize)]
pub(crate) struct Inquiry {
    /// The affair that the law permits it for.
    pub(crate) affair: String,
    /// Whom it is about.
    #[serde(flatten)]
    pub(crate) asked: Asked,
}

/// How the person asked for is named.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Asked {
    /// By the resident record code.
    #[serde(serialize_with = "code_alone")]
    Code(String),
    /// By the four items.
    Items {
        name: String,
        birth: String,
        sex: String,
        address: String,
    },
}

fn code_alone<S: serde::Serializer>(code: &str, serializer: S) -> Result<S::Ok, S::Error> {
    json!({ "code": code }).serialize(serializer)
}

/// A client that waits for each answer.
pub(crate) struct Terminal {
    runtime: Runtime,
    client: AdminClient,
    /// The session that this client began: others may be logged in at the same terminal.
    session: RefCell<Option<String>>,
}

/// What is sent, in the session that was begun here.
#[derive(Serialize)]
struct InSession<'a, T> {
    #[serde(flatten)]
    what: &'a T,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
}

impl Terminal {
    /// A client of the node that serves this socket. It connects with the first request.
    ///
    /// # Errors
    /// [`Failure`] where the system gives no runtime.
    pub(crate) fn new(socket: &Path, lang: Lang) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::new(ErrorCode::CheckFailed, error.to_string()))?;
        let client = AdminClient::new(socket).with_lang(lang);
        Ok(Self {
            runtime,
            client,
            session: RefCell::default(),
        })
    }

    /// Logs the operator in with a card file.
    ///
    /// # Errors
    /// [`Failure`] where there is no such file or the node refuses the card or the PIN.
    pub(crate) fn log_in(&self, card: &Path, pin: &str) -> Result<Value, Failure> {
        // The node has another working folder.
        let path = card.canonicalize().map_err(|error| {
            Failure::new(
                ErrorCode::CardUnknown,
                format!("{}: {error}", card.display()),
            )
        })?;
        let answer = self.post("/operator/login", &json!({"card": path, "pin": pin}))?;
        let session = answer.get("session").and_then(Value::as_str);
        self.session.replace(session.map(str::to_owned));
        Ok(answer)
    }

    /// Ends the operator's session.
    ///
    /// # Errors
    /// [`Failure`] where the node does not answer.
    pub(crate) fn log_out(&self) -> Result<Value, Failure> {
        let answer = self.post("/operator/logout", &self.in_session(&json!({})))?;
        self.session.replace(None);
        Ok(answer)
    }

    /// Asks.
    ///
    /// # Errors
    /// [`Failure`] where the inquiry is refused on its way; a refusal by the node that answers is
    /// an answer.
    pub(crate) fn ask(&self, inquiry: &Inquiry) -> Result<Value, Failure> {
        self.post("/query", &self.in_session(inquiry))
    }

    fn in_session<'a, T>(&self, what: &'a T) -> InSession<'a, T> {
        InSession {
            what,
            session: self.session.borrow().clone(),
        }
    }

    fn post(&self, path: &str, body: &impl Serialize) -> Result<Value, Failure> {
        let answer = self.client.post_json(path, body);
        Ok(self.runtime.block_on(answer)?)
    }
}
