//! `jukinet trace`: the way of one message, as every node saw it.

use std::time::Duration;

use juki_admin::{AdminClient, Hop};
use tokio::task::JoinSet;

use crate::cli::TraceArgs;
use crate::deployment::Deployment;
use crate::failure::{Ending, Outcome};
use crate::local_time::clock_text;
use crate::screen::{Screen, write_error};
use crate::text;

pub(crate) async fn run(args: &TraceArgs, screen: Screen) -> Ending {
    let deployment = Deployment::open(&args.dir)?;
    let mut asked = JoinSet::new();
    for place in deployment.places() {
        let path = format!("/trace/{}", args.id);
        asked.spawn(async move {
            let client = AdminClient::new(place.admin_socket()).with_timeout(ANSWER_TIMEOUT);
            (place.name, client.get_json::<Vec<Hop>>(&path).await)
        });
    }
    let (mut hops, mut silent) = (Vec::new(), Vec::new());
    while let Some(Ok((name, answer))) = asked.join_next().await {
        match answer {
            Ok(seen) => hops.extend(seen),
            Err(_) => silent.push(name.to_string()),
        }
    }
    hops.sort_by(|one, other| (one.at_unix_us, &one.node).cmp(&(other.at_unix_us, &other.node)));
    silent.sort();
    if !silent.is_empty() {
        write_error(&text::nodes_silent(screen.lang, &silent.join(", ")));
    }
    screen.document(&hops)?;
    if hops.is_empty() {
        screen.line(text::no_hop(screen.lang, &args.id));
        return Ok(Outcome::NotHeld);
    }
    show(&hops, screen);
    Ok(Outcome::Held)
}

fn show(hops: &[Hop], screen: Screen) {
    let lang = screen.lang;
    let header = [
        text::head_time(lang),
        text::head_node(lang),
        text::head_from(lang),
        text::head_to(lang),
        text::head_service(lang),
        text::head_length(lang),
        text::head_verdict(lang),
    ];
    let row = |hop: &Hop| {
        vec![
            clock_text(hop.at_unix_us),
            hop.node.clone(),
            hop.from.clone(),
            hop.to.clone(),
            hop.service.clone(),
            hop.length.to_string(),
            hop.verdict.clone(),
        ]
    };
    screen.table(
        &header.each_ref().map(String::as_str),
        hops.iter().map(row).collect(),
    );
}

const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
