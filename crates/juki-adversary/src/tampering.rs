//! A captured firewall: it stands in its own place with its own keys, and drops, delays, alters,
//! repeats or reorders what it should pass.

use std::future::Future;
use std::io::Write as _;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use juki_domain::{NodeId, ServiceId};
use juki_runtime::SystemClock;
use juki_transport::{Class, LinkEvent, Transport, TransportSettings};
use juki_wire::{FrameKind, Header, Priority};
use serde::Serialize;
use tokio::sync::mpsc;

use crate::{Fault, StolenNode};

/// What happens to a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mischief {
    /// Everything passes.
    Nothing,
    /// It is dropped, and nobody is told.
    Drop,
    /// It is held back.
    Delay(Duration),
    /// Its last byte is altered.
    Alter,
    /// It is sent twice.
    Repeat,
    /// It is sent after the next one.
    Swap,
}

impl FromStr for Mischief {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "nothing" => Ok(Self::Nothing),
            "drop" => Ok(Self::Drop),
            "alter" => Ok(Self::Alter),
            "repeat" => Ok(Self::Repeat),
            "swap" => Ok(Self::Swap),
            other => other
                .strip_prefix("delay=")
                .and_then(|ms| ms.parse().ok())
                .map(|ms| Self::Delay(Duration::from_millis(ms)))
                .ok_or_else(|| {
                    "nothing, drop, delay=MILLISECONDS, alter, repeat or swap".to_owned()
                }),
        }
    }
}

/// What a captured firewall does, to which frames, and how often.
#[derive(Debug, Clone, Copy)]
pub struct Tampering {
    /// What happens.
    pub mischief: Mischief,
    /// To messages of this service alone; without it to those of all.
    pub service: Option<ServiceId>,
    /// To so many frames; all that come later pass.
    pub count: u64,
}

/// What a captured firewall has done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TamperingReport {
    /// Frames that came in.
    pub seen: u64,
    /// Frames to which something was done.
    pub tampered: u64,
    /// Frames that went on.
    pub passed: u64,
}

impl Tampering {
    /// Stands in a firewall's place until `stop` ends. `ready` is called when a link to the line is
    /// up. Frames are kept in the file `keep`, one in hexadecimal a line, where there is one.
    ///
    /// # Errors
    /// [`Fault`] where the place could not be taken.
    pub async fn run(
        self,
        stolen: &StolenNode,
        keep: Option<&Path>,
        mut ready: impl FnMut(),
        stop: impl Future<Output = ()>,
    ) -> Result<TamperingReport, Fault> {
        let settings = TransportSettings::from_config(
            &stolen.config,
            &stolen.folder,
            stolen.keys.identity.clone(),
            Arc::new(|_: &[u8]| Ok(())),
            Arc::new(SystemClock),
        );
        let mut dialled = settings
            .peers
            .iter()
            .filter(|peer| peer.dial.is_some())
            .count();
        let (sender, mut events) = mpsc::channel(1_024);
        let transport =
            Arc::new(Transport::start(settings, sender).map_err(|error| Fault::refused(&error))?);
        let mut hands = Hands {
            tampering: self,
            transport: Arc::clone(&transport),
            stolen,
            keep: keep.map(open).transpose()?,
            held: None,
            report: TamperingReport::default(),
        };
        let mut stop = std::pin::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                event = events.recv() => match event {
                    None => break,
                    Some(LinkEvent::Frame { frame, .. }) => hands.on_frame(frame)?,
                    Some(LinkEvent::Up { peer, .. }) => {
                        let is_dialled = stolen.config.peer.iter().any(|known| known.name == *peer && known.dial.is_some());
                        if is_dialled && dialled > 0 {
                            dialled -= 1;
                            if dialled == 0 {
                                ready();
                            }
                        }
                    }
                    Some(LinkEvent::Down { .. } | LinkEvent::Refused { .. } | LinkEvent::NewCrl { .. } | LinkEvent::NewNotice { .. }) => {}
                },
            }
        }
        let report = hands.report.clone();
        drop(hands);
        transport.shutdown().await;
        Ok(report)
    }
}

struct Hands<'a> {
    tampering: Tampering,
    transport: Arc<Transport>,
    stolen: &'a StolenNode,
    keep: Option<std::fs::File>,
    held: Option<Bytes>,
    report: TamperingReport,
}

impl Hands<'_> {
    fn on_frame(&mut self, frame: Bytes) -> Result<(), Fault> {
        self.report.seen += 1;
        if let Some(file) = &mut self.keep {
            writeln!(file, "{}", hex(&frame)).map_err(Fault::refused)?;
        }
        if !self.is_meant(&frame) {
            self.pass(frame);
            return Ok(());
        }
        self.report.tampered += 1;
        match self.tampering.mischief {
            Mischief::Nothing => self.pass(frame),
            Mischief::Drop => {}
            Mischief::Delay(by) => {
                if let Some((to, class)) = self.way(&frame) {
                    let transport = Arc::clone(&self.transport);
                    self.report.passed += 1;
                    tokio::spawn(async move {
                        tokio::time::sleep(by).await;
                        // A link that is down loses it, as it would lose any other.
                        let _lost = transport.send(&to, class, frame);
                    });
                }
            }
            Mischief::Alter => {
                let mut altered = frame.to_vec();
                if let Some(byte) = altered.last_mut() {
                    *byte ^= 1;
                }
                self.pass(altered.into());
            }
            Mischief::Repeat => {
                self.pass(frame.clone());
                self.pass(frame);
            }
            Mischief::Swap => match self.held.take() {
                None => self.held = Some(frame),
                Some(before) => {
                    self.pass(frame);
                    self.pass(before);
                }
            },
        }
        Ok(())
    }

    fn is_meant(&self, frame: &[u8]) -> bool {
        let Ok((header, _)) = Header::decode(frame) else {
            return false;
        };
        header.kind == FrameKind::Message
            && self.report.tampered < self.tampering.count
            && self
                .tampering
                .service
                .is_none_or(|service| service == header.service)
    }

    fn pass(&mut self, frame: Bytes) {
        if let Some((to, class)) = self.way(&frame)
            && self.transport.send(&to, class, frame).is_ok()
        {
            self.report.passed += 1;
        }
    }

    /// The peer through which the frame's destination is reached.
    fn way(&self, frame: &[u8]) -> Option<(NodeId, Class)> {
        let (header, _) = Header::decode(frame).ok()?;
        let config = &self.stolen.config;
        let route = config
            .route
            .iter()
            .find(|route| route.to == header.destination.as_str())
            .or_else(|| config.route.iter().find(|route| route.to == "*"))?;
        let class = match header.priority {
            Priority::Interactive => Class::Interactive,
            Priority::Bulk => Class::Bulk,
        };
        Some((route.via.clone(), class))
    }
}

fn open(path: &Path) -> Result<std::fs::File, Fault> {
    std::fs::File::create(path).map_err(|source| Fault::File {
        path: path.to_owned(),
        source,
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The frames of a file that was kept; lines that are none are left out.
pub(crate) fn read_frames(text: &str) -> Vec<Bytes> {
    let byte = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok()
    };
    let frame = |line: &str| {
        line.as_bytes()
            .chunks(2)
            .map(byte)
            .collect::<Option<Vec<u8>>>()
    };
    text.lines().filter_map(frame).map(Bytes::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_frames_read_back_and_other_lines_are_left_out() {
        let frames = [vec![0, 1, 255], vec![171; 70]];
        let text: String = frames
            .iter()
            .map(|frame| format!("{}\nnot hex\n", hex(frame)))
            .collect();
        assert_eq!(read_frames(&text), frames);
    }

    #[test]
    fn what_it_does_is_named_in_one_word() {
        assert_eq!("drop".parse(), Ok(Mischief::Drop));
        let delay = Mischief::Delay(Duration::from_millis(1_500));
        assert_eq!("delay=1500".parse(), Ok(delay));
        assert!("delay".parse::<Mischief>().is_err() && "burn".parse::<Mischief>().is_err());
    }
}
