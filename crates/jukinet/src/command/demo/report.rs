//! What the demo leaves a person with: the nodes, what is kept, three lines to paste.

use std::fs;
use std::path::Path;

use crate::command::status;
use crate::failure::Failure;
use crate::live_network::LiveNetwork;
use crate::screen::Screen;
use crate::text;

use super::absolute;

pub(super) async fn show(
    network: &LiveNetwork,
    dir: &Path,
    kept: bool,
    screen: Screen,
) -> Result<(), Failure> {
    let lang = screen.lang;
    let dir = absolute(dir)?;
    let dir = dir.display().to_string();
    let rows = status::collect(network.deployment()).await;
    screen.line(text::demo_table(lang, &dir));
    screen.line(status::table(&rows, lang));
    screen.line(if kept {
        text::demo_kept(lang, &dir)
    } else {
        text::demo_lost(lang, &dir)
    });
    let (card, pin) = network.card()?;
    screen.line(text::demo_card(lang, &card.display().to_string(), &pin));
    screen.line("");
    screen.line(text::demo_lines(lang));
    for line in lines(network, &dir, lang)? {
        screen.line(line);
    }
    screen.line("");
    Ok(())
}

/// A comment and a command for each kind of user. A test runs them as they stand.
fn lines(
    network: &LiveNetwork,
    dir: &str,
    lang: juki_domain::Lang,
) -> Result<Vec<String>, Failure> {
    let announced = network.deployment().run().join("cs-352047.register.addr");
    let address =
        fs::read_to_string(&announced).map_err(|error| Failure::file(&announced, &error))?;
    let date = network.civil_date()?;
    let birth = format!(
        r#"{{"key":"my-first","resident":"MY-1","reason":"birth","event_date":"{date}","name":"練習　一郎","birth":"{date}","sex":"male","address":"山口県萩市大字椿1番地"}}"#
    );
    let token = format!("{dir}/nodes/cs-352047/keys/register.token");
    Ok(vec![
        text::demo_integrator(lang),
        format!(
            r#"curl -sS -H "Authorization: Bearer $(cat {token})" -H 'Content-Type: application/json' -d '{birth}' http://{}/v1/changes"#,
            address.trim()
        ),
        text::demo_operator(lang),
        format!("{} doctor {dir}", program()),
        text::demo_trainee(lang),
        format!("{} line {dir} down cs-355011", program()),
    ])
}

/// How this program is called from another terminal.
fn program() -> String {
    std::env::current_exe().map_or_else(|_| "jukinet".to_owned(), |path| path.display().to_string())
}
