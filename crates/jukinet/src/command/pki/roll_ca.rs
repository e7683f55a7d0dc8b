//! `jukinet pki roll-ca`: from one root to the next while the network works.
//!
//! Four steps, each of which can be repeated until it is complete at every node: `new` makes the
//! second root and has it certify the issuing authority's key and the directory; `trust` has every
//! node believe in both roots; `move` gives every node a certificate that stands under the second;
//! `drop` has every node believe in the second alone. The issuing key stays: revocation lists,
//! notices and operators' cards that it signed remain good.

mod authorities;
mod spread;

use juki_domain::ErrorCode;
use serde_json::json;

use crate::cli::{RollCaArgs, RollStep};
use crate::deployment::Deployment;
use crate::failure::{Ending, Failure, Outcome};
use crate::screen::Screen;
use crate::text;

use self::authorities::Authorities;
use self::spread::Spread;

/// All steps in their order.
const STEPS: [RollStep; 4] = [
    RollStep::New,
    RollStep::Trust,
    RollStep::Move,
    RollStep::Drop,
];

pub(super) async fn run(args: &RollCaArgs, screen: Screen) -> Ending {
    let deployment = Deployment::open(&args.dir)?;
    let authorities = Authorities::at(&deployment, args.passphrase_file.clone());
    let spread = Spread::new(&deployment, &authorities, screen);
    let steps = match args.step {
        Some(step) => vec![step],
        None => STEPS.to_vec(),
    };
    let mut rows = Vec::new();
    let mut late = Vec::new();
    for step in steps {
        late = match step {
            RollStep::New => {
                authorities.make_next()?;
                Vec::new()
            }
            RollStep::Trust => spread.trust_both().await?,
            RollStep::Move => spread.move_over().await?,
            RollStep::Drop => {
                let late = spread.drop_first().await?;
                if late.is_empty() {
                    authorities.retire_first()?;
                }
                late
            }
        };
        screen.line(text::pki::rolled(
            screen.lang,
            step.name(),
            &late.join(", "),
        ));
        rows.push(json!({ "step": step.name(), "late": late }));
        if !late.is_empty() {
            break;
        }
    }
    screen.document(&rows)?;
    Ok(if late.is_empty() {
        Outcome::Held
    } else {
        Outcome::NotHeld
    })
}

/// A step whose forerunner is not complete.
fn too_early(detail: impl Into<String>) -> Failure {
    Failure::new(ErrorCode::RollOverStep, detail)
}
