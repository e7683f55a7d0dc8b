//! Networks that come with the program: one constructor each.

mod demo;
mod yamaguchi;

use juki_domain::ErrorCode;

use crate::config_error::ConfigError;
use crate::text_form::TextForm;

pub use demo::DEMO_BODY;

/// A value that a preset itself writes; it reads as any value from a file does.
fn fixed<T: TextForm>(text: &str) -> Result<T, ConfigError> {
    T::from_text(text).ok_or_else(|| ConfigError {
        code: ErrorCode::ConfigBadValue,
        file: "preset".to_owned(),
        line: None,
        key: String::new(),
        sentence: format!("\"{text}\" is not {}", T::wanted()),
    })
}

const UNSHAPED: &str = "unshaped";
