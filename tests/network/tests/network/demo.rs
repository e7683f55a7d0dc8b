//! The demo: what it says it did, and what it invites to.

use std::process::{Command, Stdio};

use network::{Deployment, until};
use rustix::process::Signal;
use serde_json::Value;

#[test]
fn the_demo_tells_its_whole_story_and_leaves_nothing() {
    let place = Deployment::nowhere();
    let told = place.jukinet(&["demo", "--exit", "--json"]).held().json();
    assert_eq!(told["digests_equal"], true, "{told}");
    assert!(told["processes"].as_u64().unwrap() >= 12, "{told}");
    assert!(told["residents"].as_u64().unwrap() >= 2_990, "{told}");
    assert_eq!(
        (
            told["provisions_answered"].as_u64(),
            told["provisions_refused"].as_u64()
        ),
        (Some(1), Some(1)),
        "{told}"
    );
}

#[test]
fn the_three_lines_of_the_demo_do_what_they_say_when_they_are_pasted() {
    let place = Deployment::nowhere();
    let demo = place.start("jukinet", &["demo", "--dir", "net"]);
    let said = until("the demo's three lines", || {
        Some(demo.printed()).filter(|said| said.contains("Ctrl-C ends it"))
    });
    let lines: Vec<&str> = said
        .lines()
        .skip_while(|line| !line.starts_with("Three lines"))
        .filter(|line| is_command(line))
        .collect();
    assert_eq!(lines.len(), 3, "{said}");
    let answer: Value = serde_json::from_str(&paste(&place, lines[0])).unwrap();
    assert_eq!(
        (answer["key"].as_str(), answer["outcome"].as_str()),
        (Some("my-first"), Some("accepted")),
        "{answer}"
    );
    place.arrives("cs-352047", "my-first");
    let examined = paste(&place, lines[1]);
    assert!(examined.contains("nothing wrong"), "{examined}");
    let cut = paste(&place, lines[2]);
    assert!(cut.contains("changed the line cs-355011"), "{cut}");
    assert_eq!(place.birth("cs-355011", "behind-the-cut")["state"], "at-cs");
    let mended = paste(&place, &lines[2].replace(" down ", " up "));
    assert!(mended.contains("changed the line cs-355011"), "{mended}");
    place.arrives("cs-355011", "behind-the-cut");
    demo.signal(Signal::INT);
    assert_eq!(demo.code(), Some(0));
    place.is_quiet();
    assert!(
        place.net().join("network.toml").is_file(),
        "a named folder stays"
    );
}

fn is_command(line: &str) -> bool {
    !line.starts_with('#')
        && !line.starts_with("Three lines")
        && !line.starts_with("Ctrl-C")
        && !line.is_empty()
}

fn paste(place: &Deployment, line: &str) -> String {
    let output = Command::new("sh")
        .args(["-c", line])
        .current_dir(place.folder())
        .env("LANG", "C")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{line}\n{said}");
    said
}
