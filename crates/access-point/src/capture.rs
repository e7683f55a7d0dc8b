//! What passes a line, written down for a packet analyser.
//!
//! The file is in the format of libpcap (draft-ietf-opsawg-pcap, magic with nanoseconds), link type
//! RAW: each datagram with IP and UDP headers made from its ends. What it shows is sealed.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where one direction's datagrams are noted, where anybody wants them.
#[derive(Debug, Default)]
pub(crate) struct Tap {
    is_on: AtomicBool,
    capture: Mutex<Option<Arc<Capture>>>,
}

/// A file that both directions of a line write to.
#[derive(Debug)]
pub(crate) struct Capture {
    file: Mutex<Writer>,
}

#[derive(Debug)]
struct Writer {
    out: BufWriter<File>,
    bytes: u64,
    bytes_max: u64,
    datagrams: u64,
    left_out: u64,
}

/// How much a capture holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct CaptureStatus {
    /// Datagrams written.
    pub datagrams: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Datagrams that found the file full.
    pub left_out: u64,
}

impl Tap {
    /// Begins to note, into a file or no more.
    pub(crate) fn set(&self, capture: Option<Arc<Capture>>) {
        self.is_on.store(capture.is_some(), Ordering::Relaxed);
        *self.capture.lock().unwrap_or_else(PoisonError::into_inner) = capture;
    }

    pub(crate) fn status(&self) -> Option<CaptureStatus> {
        let capture = self.capture.lock().unwrap_or_else(PoisonError::into_inner);
        capture.as_ref().map(|capture| capture.status())
    }

    /// Notes a datagram that passed.
    pub(crate) fn note(&self, from: SocketAddr, to: SocketAddr, payload: &[u8]) {
        if !self.is_on.load(Ordering::Relaxed) {
            return;
        }
        let capture = self.capture.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(capture) = capture.as_ref() {
            capture.note(from, to, payload);
        }
    }
}

impl Capture {
    /// A new file, readable by its owner alone, of so many bytes at most.
    pub(crate) fn create(path: &Path, bytes_max: u64) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)?;
        let mut out = BufWriter::new(file);
        let mut header = Vec::with_capacity(24);
        header.extend(MAGIC_NANOSECONDS.to_le_bytes());
        header.extend(2_u16.to_le_bytes());
        header.extend(4_u16.to_le_bytes());
        header.extend([0; 8]);
        header.extend(SNAP_LENGTH.to_le_bytes());
        header.extend(LINK_TYPE_RAW.to_le_bytes());
        out.write_all(&header)?;
        out.flush()?;
        let writer = Writer {
            out,
            bytes: header.len() as u64,
            bytes_max,
            datagrams: 0,
            left_out: 0,
        };
        Ok(Self {
            file: Mutex::new(writer),
        })
    }

    fn status(&self) -> CaptureStatus {
        let mut writer = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever asks is about to open the file.
        let _ = writer.out.flush();
        CaptureStatus {
            datagrams: writer.datagrams,
            bytes: writer.bytes,
            left_out: writer.left_out,
        }
    }

    fn note(&self, from: SocketAddr, to: SocketAddr, payload: &[u8]) {
        let mut writer = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let packet = packet(from, to, payload);
        let length = packet.len() as u64 + 16;
        if writer.bytes + length > writer.bytes_max {
            writer.left_out += 1;
            return;
        }
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let size = u32::try_from(packet.len()).unwrap_or(u32::MAX);
        let seconds = u32::try_from(since.as_secs()).unwrap_or(u32::MAX);
        let head = [seconds, since.subsec_nanos(), size, size];
        let head: Vec<u8> = head.iter().flat_map(|word| word.to_le_bytes()).collect();
        let written = writer
            .out
            .write_all(&head)
            .and_then(|()| writer.out.write_all(&packet));
        match written {
            Ok(()) => {
                writer.bytes += length;
                writer.datagrams += 1;
            }
            // The line goes on; what the file lacks is counted.
            Err(_) => writer.left_out += 1,
        }
    }
}

/// The datagram as it would stand on the cable, without a UDP checksum where IPv4 allows that.
fn packet(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let udp_length = u16::try_from(payload.len() + 8).unwrap_or(u16::MAX);
    let mut packet = Vec::with_capacity(payload.len() + 48);
    match (from.ip(), to.ip()) {
        (IpAddr::V4(source), IpAddr::V4(target)) => {
            let total = udp_length.saturating_add(20);
            packet.extend([0x45, 0]);
            packet.extend(total.to_be_bytes());
            packet.extend([0, 0, 0x40, 0, 64, 17, 0, 0]);
            packet.extend(source.octets());
            packet.extend(target.octets());
            let sum = ipv4_checksum(&packet);
            packet.splice(10..12, sum.to_be_bytes());
        }
        (source, target) => {
            let v6 = |ip: IpAddr| match ip {
                IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
                IpAddr::V6(ip) => ip.octets(),
            };
            packet.extend([0x60, 0, 0, 0]);
            packet.extend(udp_length.to_be_bytes());
            packet.extend([17, 64]);
            packet.extend(v6(source));
            packet.extend(v6(target));
        }
    }
    packet.extend(from.port().to_be_bytes());
    packet.extend(to.port().to_be_bytes());
    packet.extend(udp_length.to_be_bytes());
    packet.extend([0, 0]);
    packet.extend(payload);
    packet
}

/// RFC 1071 over a header of twenty bytes whose checksum is still 0.
fn ipv4_checksum(header: &[u8]) -> u16 {
    let words = header.chunks_exact(2).map(|pair| match pair {
        [high, low] => u32::from(*high) << 8 | u32::from(*low),
        _ => 0,
    });
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

const MAGIC_NANOSECONDS: u32 = 0xa1b2_3c4d;
const SNAP_LENGTH: u32 = 65_535;
const LINK_TYPE_RAW: u32 = 101;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_has_the_headers_of_its_ends() {
        let from = "127.0.0.1:4433".parse().unwrap();
        let to = "127.0.0.2:55".parse().unwrap();
        let made = packet(from, to, b"abc");
        assert_eq!(made.len(), 31);
        assert_eq!(made[2..4], 31_u16.to_be_bytes());
        assert_eq!(ipv4_checksum(&made[..20]), 0, "the header sums up");
        assert_eq!(made[12..20], [127, 0, 0, 1, 127, 0, 0, 2]);
        assert_eq!(made[20..24], [0x11, 0x51, 0, 55]);
        assert_eq!(made[28..], *b"abc");
        let six = packet(
            "[::1]:1".parse().unwrap(),
            "[::1]:2".parse().unwrap(),
            b"abc",
        );
        assert_eq!((six[0], six.len()), (0x60, 51));
    }

    #[test]
    fn a_full_file_takes_no_more_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("line.pcap");
        let tap = Tap::default();
        tap.set(Some(Arc::new(Capture::create(&path, 24 + 2 * 47).unwrap())));
        let end = "127.0.0.1:1".parse().unwrap();
        for _ in 0..3 {
            tap.note(end, end, b"abc");
        }
        let held = CaptureStatus {
            datagrams: 2,
            bytes: 24 + 2 * 47,
            left_out: 1,
        };
        assert_eq!(tap.status(), Some(held));
        assert_eq!(std::fs::metadata(&path).unwrap().len(), held.bytes);
        tap.set(None);
        tap.note(end, end, b"abc");
        assert_eq!(tap.status(), None);
    }
}
