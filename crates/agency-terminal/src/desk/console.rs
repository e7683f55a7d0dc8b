//! Where the operator types and reads.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use juki_domain::{ErrorCode, Lang};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use super::failure::Failure;
use super::text;

/// Longest line that is read, in bytes.
const LINE_BYTES_MAX: u64 = 4_096;

/// Takes lines from the operator and shows lines to them.
pub(crate) trait Console {
    /// Reads a line without its end; `None` where the input has ended.
    ///
    /// # Errors
    /// Where the input fails, is no text or has a line of more than 4,096 bytes.
    fn line(&mut self, prompt: &str) -> io::Result<Option<String>>;

    /// The same, without showing what is typed.
    ///
    /// # Errors
    /// As [`Console::line`].
    fn secret(&mut self, prompt: &str) -> io::Result<Option<String>>;

    /// Shows an answer.
    fn say(&mut self, text: &str);

    /// Shows why something failed.
    fn complain(&mut self, text: &str);

    /// Reads a line that must come.
    ///
    /// # Errors
    /// [`ErrorCode::ItemMissing`] where the input has ended, [`ErrorCode::TextInvalid`] where it
    /// cannot be read.
    fn expect_line(&mut self, prompt: &str, lang: Lang) -> Result<String, Failure> {
        expected(self.line(prompt), prompt, lang)
    }

    /// Reads a secret that must come.
    ///
    /// # Errors
    /// As [`Console::expect_line`].
    fn expect_secret(&mut self, prompt: &str, lang: Lang) -> Result<String, Failure> {
        expected(self.secret(prompt), prompt, lang)
    }
}

fn expected(read: io::Result<Option<String>>, prompt: &str, lang: Lang) -> Result<String, Failure> {
    match read {
        Ok(Some(line)) => Ok(line),
        Ok(None) => Err(Failure::new(
            ErrorCode::ItemMissing,
            text::input_ended(lang, prompt.trim_end_matches([':', ' '])),
        )),
        Err(error) => Err(Failure::input(&error)),
    }
}

/// Standard input and output. Prompts are shown only where a person types.
#[derive(Debug)]
pub(crate) struct StandardConsole;

impl Console for StandardConsole {
    fn line(&mut self, prompt: &str) -> io::Result<Option<String>> {
        show_prompt(prompt)?;
        read_line(&mut io::stdin().lock())
    }

    fn secret(&mut self, prompt: &str) -> io::Result<Option<String>> {
        let stdin = io::stdin();
        if !stdin.is_terminal() {
            return read_line(&mut stdin.lock());
        }
        let shown = tcgetattr(&stdin)?;
        let mut hidden = shown.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        show_prompt(prompt)?;
        tcsetattr(&stdin, OptionalActions::Flush, &hidden)?;
        let read = read_line(&mut stdin.lock());
        tcsetattr(&stdin, OptionalActions::Flush, &shown)?;
        io::stderr().write_all(b"\n")?;
        read
    }

    fn say(&mut self, text: &str) {
        // A reader that went away (`| head`) has what it wanted.
        let _closed = writeln!(io::stdout(), "{text}");
    }

    fn complain(&mut self, text: &str) {
        // A closed error output leaves nowhere to report to.
        let _closed = writeln!(io::stderr(), "{text}");
    }
}

fn show_prompt(prompt: &str) -> io::Result<()> {
    if !io::stdin().is_terminal() {
        return Ok(());
    }
    let mut out = io::stderr();
    out.write_all(prompt.as_bytes())?;
    out.flush()
}

/// Reads one line of bounded length.
pub(crate) fn read_line(input: &mut impl io::BufRead) -> io::Result<Option<String>> {
    let mut line = String::new();
    let read = input.take(LINE_BYTES_MAX).read_line(&mut line)?;
    if read == 0 {
        return Ok(None);
    }
    if !line.ends_with('\n') && u64::try_from(read).is_ok_and(|read| read == LINE_BYTES_MAX) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "a line is longer than 4096 bytes",
        ));
    }
    Ok(Some(line.trim().to_owned()))
}
