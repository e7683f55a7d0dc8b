//! Who may do what with which card, and in which order.

use juki_access::{ListedFor, Role};
use juki_domain::ErrorCode;

use super::row::is_of_trust;
use super::{ActKind, CardAct, CardRow};

/// Longest remark, in bytes.
const NOTE_BYTES_MAX: usize = 200;
/// Longest time that a card serves: five years.
const DAYS_MAX: u32 = 5 * 366;
const NAME_LEN_MAX: usize = 64;
const ROLES_MAX: usize = 7;

/// The roles that may do this. Cards of those who manage or watch others are a system manager's.
pub(super) fn roles(kind: ActKind, roles_of_card: &[u32]) -> &'static [Role] {
    match kind {
        ActKind::Enrol | ActKind::Lend | ActKind::Return | ActKind::Revoke | ActKind::Unlock
            if is_of_trust(roles_of_card) =>
        {
            &[Role::SystemManager]
        }
        // A loss is reported by whoever hears of it: a card too many on the list does less harm
        // than one too few.
        ActKind::Enrol
        | ActKind::Lend
        | ActKind::Return
        | ActKind::Lost
        | ActKind::Revoke
        | ActKind::Unlock
        | ActKind::Inspect => &[Role::SystemManager, Role::CardManager, Role::CardIssuer],
        // Nobody signs for it: it comes from the deployment.
        ActKind::Entered => &[],
    }
}

/// Whether an enrolment is complete.
pub(super) fn check_enrolment(act: &CardAct) -> Result<(), ErrorCode> {
    let is_name = |text: &str| {
        // A slash parts body and operator where both are named together.
        let fits = |byte: u8| byte.is_ascii_graphic() && byte != b'/';
        (1..=NAME_LEN_MAX).contains(&text.len()) && text.bytes().all(fits)
    };
    let fits = act.serial.is_empty()
        && is_name(&act.operator)
        && is_name(&act.body)
        && (1..=ROLES_MAX).contains(&act.roles.len())
        && act
            .roles
            .iter()
            .all(|role| Role::from_number(*role).is_some())
        && act.key.len() == 32
        && (1..=DAYS_MAX).contains(&act.days);
    if fits {
        Ok(())
    } else {
        Err(ErrorCode::ValueInvalid)
    }
}

/// Whether a remark is one.
pub(super) fn check_note(note: &str) -> Result<(), ErrorCode> {
    if note.len() <= NOTE_BYTES_MAX && !note.chars().any(char::is_control) {
        Ok(())
    } else {
        Err(ErrorCode::TextInvalid)
    }
}

/// Whether the card's state allows the act.
pub(super) fn check_state(
    kind: ActKind,
    act: &CardAct,
    row: &CardRow,
    now_s: u64,
) -> Result<(), ErrorCode> {
    let listed = row.listed();
    let is_over = matches!(listed, Some(ListedFor::Revoked | ListedFor::Expired));
    let fits = match kind {
        ActKind::Lend => {
            matches!(listed, Some(ListedFor::NotLent | ListedFor::Returned))
                && now_s <= row.valid_until_s
        }
        // A lost card that was found is returned first.
        ActKind::Return => matches!(listed, None | Some(ListedFor::Lost)),
        ActKind::Lost => !is_over && listed != Some(ListedFor::Lost),
        ActKind::Revoke => match ListedFor::from_number(act.reason) {
            Some(ListedFor::Revoked | ListedFor::Expired) => !is_over,
            Some(ListedFor::Locked) => listed.is_none(),
            Some(ListedFor::Lost | ListedFor::Returned | ListedFor::NotLent) | None => {
                return Err(ErrorCode::ValueInvalid);
            }
        },
        ActKind::Unlock => matches!(listed, None | Some(ListedFor::Locked)),
        ActKind::Inspect => true,
        ActKind::Enrol | ActKind::Entered => false,
    };
    if fits {
        Ok(())
    } else {
        Err(ErrorCode::CardStateWrong)
    }
}
