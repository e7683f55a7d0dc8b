//! `status --watch`: the same view, painted anew each second until interrupted.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use rustix::termios::tcgetwinsize;

use super::board::{Board, Size};
use super::{Lookout, network_date};
use crate::deployment::Deployment;
use crate::failure::{Ending, Outcome};
use crate::local_time::{clock_text, unix_now};
use crate::screen::Screen;
use crate::supervisor::interrupted;

pub(super) async fn run(deployment: &Deployment, screen: Screen) -> Ending {
    let lookout = Lookout::new(deployment);
    let mut board = Board::default();
    let painter = Painter::new();
    let ended = interrupted();
    tokio::pin!(ended);
    loop {
        let rows = lookout.look().await.rows;
        let now = clock_text(unix_now().saturating_mul(1_000_000));
        // The day and the fraction say nothing here.
        let time = now.get(11..19).unwrap_or_default();
        board.note(&rows, time, screen.lang);
        let date = network_date(deployment, screen.lang);
        let lines = board.paint(&rows, &date, painter.size(), screen.lang);
        painter.paint(&lines);
        tokio::select! {
            () = &mut ended => return Ok(Outcome::Held),
            () = tokio::time::sleep(LOOK_INTERVAL) => {}
        }
    }
}

/// A terminal whose former contents come back at the end; elsewhere each view follows the last one.
struct Painter {
    is_terminal: bool,
}

impl Painter {
    fn new() -> Self {
        let painter = Self {
            is_terminal: io::stdout().is_terminal(),
        };
        if painter.is_terminal {
            write("\x1b[?1049h\x1b[?25l");
        }
        painter
    }

    fn size(&self) -> Size {
        let known = tcgetwinsize(io::stdout())
            .ok()
            .filter(|size| size.ws_row > 0);
        match known.filter(|_| self.is_terminal) {
            Some(size) => Size {
                columns: usize::from(size.ws_col),
                lines: usize::from(size.ws_row),
            },
            None => Size {
                columns: COLUMNS_ELSEWHERE,
                lines: LINES_ELSEWHERE,
            },
        }
    }

    /// Writes over what stands there, line by line, in one piece: nothing is ever blank in between.
    fn paint(&self, lines: &[String]) {
        if self.is_terminal {
            let text = lines.join("\x1b[K\r\n");
            write(&format!("\x1b[H{text}\x1b[K\x1b[J"));
        } else {
            write(&format!("{}\n\n", lines.join("\n")));
        }
    }
}

impl Drop for Painter {
    fn drop(&mut self) {
        if self.is_terminal {
            write("\x1b[?25h\x1b[?1049l");
        }
    }
}

fn write(text: &str) {
    let mut out = io::stdout().lock();
    // A reader that went away has what it wanted.
    let _closed = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

const LOOK_INTERVAL: Duration = Duration::from_secs(1);
const COLUMNS_ELSEWHERE: usize = 120;
const LINES_ELSEWHERE: usize = 40;
