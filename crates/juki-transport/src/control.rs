//! Messages on the control stream: a length as u32 in network order, then the message.

use juki_domain::ErrorCode;
use juki_wire::hello::control::Kind;
use juki_wire::{CONTROL_BYTES_MAX, Control};
use prost::Message as _;
use quinn::{RecvStream, SendStream};

use crate::streams::Broken;

/// Longest hello or its answer, in bytes: nobody has proved to be a friend yet.
pub(crate) const HELLO_BYTES_MAX: usize = 1024;

/// Reads one message of at most `len_max` bytes; none where it is of a kind unknown here.
pub(crate) async fn read_control(
    stream: &mut RecvStream,
    len_max: usize,
) -> Result<Option<Kind>, Broken> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).await?;
    let len = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if len > len_max.min(CONTROL_BYTES_MAX) {
        return Err(Broken::Refused(ErrorCode::FrameTooLong));
    }
    let mut bytes = vec![0; len];
    stream.read_exact(&mut bytes).await?;
    let control =
        Control::decode(bytes.as_slice()).map_err(|_| Broken::Refused(ErrorCode::FrameGarbage))?;
    Ok(control.kind)
}

/// Writes one message.
pub(crate) async fn write_control(stream: &mut SendStream, kind: Kind) -> Result<(), Broken> {
    let message = Control { kind: Some(kind) }.encode_to_vec();
    let len = u32::try_from(message.len()).map_err(|_| Broken::Gone)?;
    stream
        .write_all(&[&len.to_be_bytes(), message.as_slice()].concat())
        .await?;
    Ok(())
}
