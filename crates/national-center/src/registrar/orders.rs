//! What a system manager's card has to sign for.

use juki_access::SignedAct;
use juki_domain::ErrorCode;
use juki_node::EngineHandle;
use juki_services::orders::{OrderAnswer, OrderAsk, Subject};
use prost::Message as _;

use super::hex_of_length;

/// Longest order in hexadecimal digits.
const ORDER_HEX_MAX: usize = 16 * 1024;

/// Has an order judged and put on record: `signed` in hexadecimal digits, `act` what it has to be for.
/// Gives the operator.
pub(super) async fn order(
    handle: &EngineHandle,
    subject: Subject,
    signed: &str,
    act: Vec<u8>,
) -> Result<String, ErrorCode> {
    let bytes = hex_of_length(signed, ORDER_HEX_MAX).ok_or(ErrorCode::ActInvalid)?;
    let signed = SignedAct::decode(bytes.as_slice()).map_err(|_| ErrorCode::ActInvalid)?;
    let ask = OrderAsk {
        signed: Some(signed),
        act,
    };
    let answer = handle
        .call(subject.service, ask.encode_to_vec())
        .await
        .map_err(|_| ErrorCode::NotRunning)?;
    let answer = OrderAnswer::decode(answer.as_slice()).map_err(|_| ErrorCode::FrameGarbage)?;
    match answer.failure.as_str() {
        "" => Ok(answer.by),
        code => Err(ErrorCode::from_code(code).unwrap_or(ErrorCode::FrameGarbage)),
    }
}
