//! The prompt: commands line by line, from a person or a file.

use std::path::{Path, PathBuf};

use juki_domain::Lang;

use super::arguments::TerminalArguments;
use super::console::Console;
use super::failure::Failure;
use super::terminal::{Asked, Inquiry, Terminal};
use super::{answer, pin, text};

/// What is shown where a command is awaited.
const SIGN: &str = "> ";

/// One sitting of an operator.
pub(crate) struct Prompt<'a, C> {
    terminal: &'a Terminal,
    console: &'a mut C,
    lang: Lang,
    json: bool,
    pin_file: Option<PathBuf>,
    affair: Option<String>,
}

impl<'a, C: Console> Prompt<'a, C> {
    /// A sitting with what the command line has chosen already.
    pub(crate) fn new(
        arguments: &TerminalArguments,
        terminal: &'a Terminal,
        console: &'a mut C,
        lang: Lang,
    ) -> Self {
        Self {
            terminal,
            console,
            lang,
            json: arguments.json,
            pin_file: arguments.pin_file.clone(),
            affair: arguments.affair.clone(),
        }
    }

    /// Takes commands until `quit` or the end of the input. What a command is refused with is
    /// shown, and the sitting goes on.
    ///
    /// # Errors
    /// [`Failure`] where the input cannot be read.
    pub(crate) fn run(mut self) -> Result<(), Failure> {
        self.hint(&text::greeting(self.lang));
        loop {
            let line = self.console.line(SIGN);
            let Some(line) = line.map_err(|error| Failure::input(&error))? else {
                return Ok(());
            };
            let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((&line, ""));
            let rest = rest.trim();
            let done = match word {
                "" => Ok(()),
                "quit" | "exit" => return Ok(()),
                "help" | "?" => {
                    self.hint(&text::help(self.lang));
                    Ok(())
                }
                "login" => self.log_in(rest),
                "logout" => self.log_out(),
                "affair" => {
                    self.choose(rest);
                    Ok(())
                }
                "code" => self.ask_by_code(rest),
                "items" => self.ask_by_items(),
                other => {
                    self.console
                        .complain(&text::unknown_command(self.lang, other));
                    Ok(())
                }
            };
            if let Err(failure) = done {
                self.console.complain(&failure.explained(self.lang));
            }
        }
    }

    fn log_in(&mut self, card: &str) -> Result<(), Failure> {
        if card.is_empty() {
            self.console.complain(&text::needs_card(self.lang));
            return Ok(());
        }
        let pin = pin::of(self.pin_file.as_deref(), self.console, self.lang)?;
        let answer = self.terminal.log_in(Path::new(card), &pin)?;
        self.console
            .say(&answer::of_login(&answer, self.lang, self.json));
        Ok(())
    }

    fn log_out(&mut self) -> Result<(), Failure> {
        let answer = self.terminal.log_out()?;
        self.console
            .say(&answer::of_logout(&answer, self.lang, self.json));
        Ok(())
    }

    fn choose(&mut self, affair: &str) {
        if affair.is_empty() {
            self.console.complain(&text::needs_affair(self.lang));
            return;
        }
        self.affair = Some(affair.to_owned());
        self.hint(&text::affair_is(self.lang, affair));
    }

    fn ask_by_code(&mut self, code: &str) -> Result<(), Failure> {
        let lang = self.lang;
        let code = if code.is_empty() {
            self.console.expect_line(&text::ask_code(lang), lang)?
        } else {
            code.to_owned()
        };
        self.ask(Asked::Code(code))
    }

    fn ask_by_items(&mut self) -> Result<(), Failure> {
        let lang = self.lang;
        let mut item = |prompt: String| self.console.expect_line(&prompt, lang);
        let asked = Asked::Items {
            name: item(text::ask_name(lang))?,
            birth: item(text::ask_birth(lang))?,
            sex: item(text::ask_sex(lang))?,
            address: item(text::ask_address(lang))?,
        };
        self.ask(asked)
    }

    fn ask(&mut self, asked: Asked) -> Result<(), Failure> {
        let Some(affair) = self.affair.clone() else {
            self.console.complain(&text::no_affair(self.lang));
            return Ok(());
        };
        let answer = self.terminal.ask(&Inquiry { affair, asked })?;
        self.console
            .say(&answer::of_inquiry(&answer, self.lang, self.json));
        Ok(())
    }

    /// Shows what is no answer: nothing where answers alone are wanted.
    fn hint(&mut self, text: &str) {
        if !self.json {
            self.console.say(text);
        }
    }
}
