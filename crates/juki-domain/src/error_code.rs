//! Error codes: one for each reason to refuse or to fail, the same at every node.

#[macro_use]
mod setup;
#[macro_use]
mod resident;
#[macro_use]
mod network;
#[macro_use]
mod access;
#[macro_use]
mod certificates;
#[macro_use]
mod monitor;
#[macro_use]
mod operators;
mod lang;
mod of_errors;

use std::fmt;

pub use lang::{Lang, LangError};

/// Who has to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// Whoever sent the input: another node, a register, an operator.
    Peer,
    /// This node: its configuration, files, disk or stock.
    Us,
    /// The line or the network between the two.
    Network,
}

/// What an error code means to the person who reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explanation {
    /// What happened.
    pub what: &'static str,
    /// Why it happens.
    pub why: &'static str,
    /// What to do now.
    pub todo: &'static str,
}

/// Whether sending the same again makes sense.
enum Again {
    Later,
    Never,
}

macro_rules! define {
    ([$(
        $name:ident $code:literal $fault:ident $retry:ident
        en $what:literal $why:literal $todo:literal
        ja $what_ja:literal $why_ja:literal $todo_ja:literal
    )*]) => {
        /// A reason to refuse or to fail. Codes are never reused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ErrorCode {
            $(
                #[doc = concat!($code, ": ", $what)]
                $name,
            )*
        }

        impl ErrorCode {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code as people and logs write it, such as `JKW-1001`.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)*
                }
            }

            /// Who has to act.
            #[must_use]
            pub const fn fault(self) -> Fault {
                match self {
                    $(Self::$name => Fault::$fault,)*
                }
            }

            /// Whether the same request, sent again unchanged, may succeed.
            #[must_use]
            pub const fn retry(self) -> bool {
                match self {
                    $(Self::$name => matches!(Again::$retry, Again::Later),)*
                }
            }

            /// What happened, why, and what to do, in the given language.
            #[must_use]
            pub const fn explain(self, lang: Lang) -> Explanation {
                match (self, lang) {
                    $(
                        (Self::$name, Lang::En) => Explanation { what: $what, why: $why, todo: $todo },
                        (Self::$name, Lang::Ja) => Explanation { what: $what_ja, why: $why_ja, todo: $todo_ja },
                    )*
                }
            }
        }
    };
}

setup_codes! { [] resident_codes network_codes access_codes operator_codes monitor_codes certificate_codes define }

impl ErrorCode {
    /// The error with this code, such as `JKW-1001`.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|error| error.code() == code)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_used_once_and_reads_back() {
        let codes: BTreeSet<&str> = ErrorCode::ALL.iter().map(|error| error.code()).collect();
        assert_eq!(codes.len(), ErrorCode::ALL.len());
        for error in ErrorCode::ALL {
            assert_eq!(ErrorCode::from_code(error.code()), Some(*error));
            assert_eq!(error.to_string(), error.code());
        }
        assert_eq!(ErrorCode::from_code("JKW-9999"), None);
        assert_eq!(ErrorCode::from_code("jkw-1001"), None);
    }

    #[test]
    fn every_code_is_a_known_family_and_four_digits() {
        for code in ErrorCode::ALL.iter().map(|error| error.code()) {
            let (family, number) = code.split_once('-').unwrap();
            assert!(
                [
                    "JKC", "JKD", "JKI", "JKR", "JKW", "JKL", "JKT", "JKP", "JKA", "JKE", "JKJ",
                    "JKS", "JKN", "JKM"
                ]
                .contains(&family),
                "{code}"
            );
            assert!(
                number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_digit()),
                "{code}"
            );
        }
    }

    #[test]
    fn every_explanation_is_complete_in_both_languages() {
        for error in ErrorCode::ALL {
            let (ja, en) = (error.explain(Lang::Ja), error.explain(Lang::En));
            for text in [en.what, en.why, en.todo] {
                assert!(
                    text.is_ascii() && text.ends_with('.') && (12..=200).contains(&text.len()),
                    "{error}: {text}"
                );
            }
            for text in [ja.what, ja.why, ja.todo] {
                assert!(
                    text.ends_with('。') && (6..=110).contains(&text.chars().count()),
                    "{error}: {text}"
                );
                assert!(
                    text.chars().any(|c| ('ぁ'..='ん').contains(&c)),
                    "{error}: {text}"
                );
            }
        }
    }

    #[test]
    fn no_two_codes_say_the_same() {
        for lang in [Lang::Ja, Lang::En] {
            let texts: BTreeSet<&str> = ErrorCode::ALL
                .iter()
                .map(|error| error.explain(lang).what)
                .collect();
            assert_eq!(texts.len(), ErrorCode::ALL.len());
        }
    }

    #[test]
    fn a_cut_line_is_worth_a_retry_and_a_refused_purpose_is_not() {
        assert!(ErrorCode::LineDown.retry() && ErrorCode::RateExceeded.retry());
        assert!(!ErrorCode::NoLegalBasis.retry() && !ErrorCode::CertificateRevoked.retry());
        assert_eq!(ErrorCode::LineDown.fault(), Fault::Network);
        assert_eq!(ErrorCode::NoLegalBasis.fault(), Fault::Peer);
        assert_eq!(ErrorCode::DiskFailed.fault(), Fault::Us);
    }
}
