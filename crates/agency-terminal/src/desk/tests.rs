mod fixture;

use std::io;
use std::path::Path;

use clap::error::ErrorKind;
use juki_domain::ErrorCode;
use serde_json::{Value, json};

use super::*;
use fixture::{Node, Script};

const ONE: &str = "agency-terminal --config node.toml";

fn parsed(line: &str) -> Result<TerminalArguments, clap::Error> {
    let matches = definition(Lang::En).try_get_matches_from(line.split(' '))?;
    TerminalArguments::from_arg_matches(&matches)
}

fn refused(rest: &str) -> ErrorKind {
    parsed(&format!("{ONE} {rest}")).unwrap_err().kind()
}

#[test]
fn the_definition_holds_together_and_every_argument_has_help_in_both_languages() {
    definition(Lang::En).debug_assert();
    let (mut english, mut japanese) = (definition(Lang::En), definition(Lang::Ja));
    english.build();
    japanese.build();
    assert!(
        english
            .get_about()
            .unwrap()
            .to_string()
            .starts_with("Terminal of a body")
    );
    assert!(!japanese.get_about().unwrap().to_string().is_ascii());
    assert!(
        english
            .render_help()
            .to_string()
            .contains("--prompt\n\nExit code")
    );
    assert!(japanese.render_help().to_string().contains("例:"));
    for argument in english.get_arguments() {
        let own = argument
            .get_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        let other = japanese
            .get_arguments()
            .find(|other| other.get_id() == argument.get_id())
            .unwrap();
        let other = other
            .get_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        assert!(
            !own.is_empty() && !other.is_ascii(),
            "{}",
            argument.get_id()
        );
    }
}

#[test]
fn without_a_question_the_node_is_run() {
    for rest in ["", " --check", " --log text --lang ja"] {
        assert!(
            !parsed(&format!("{ONE}{rest}")).unwrap().is_operators(),
            "{rest}"
        );
    }
    for rest in ["--prompt", "--login a.card", "--affair x --code 1"] {
        assert!(
            parsed(&format!("{ONE} {rest}")).unwrap().is_operators(),
            "{rest}"
        );
    }
}

#[test]
fn a_question_is_by_code_or_by_all_four_items_and_for_an_affair() {
    assert!(
        parsed(&format!(
            "{ONE} --affair x --name n --birth b --sex s --address a"
        ))
        .is_ok()
    );
    assert!(parsed(&format!("{ONE} --affair x --prompt")).is_ok());
    assert_eq!(refused("--affair x"), ErrorKind::MissingRequiredArgument);
    assert_eq!(refused("--code 1"), ErrorKind::MissingRequiredArgument);
    assert_eq!(
        refused("--affair x --name n --birth b"),
        ErrorKind::MissingRequiredArgument
    );
    assert_eq!(
        refused("--affair x --code 1 --name n --birth b --sex s --address a"),
        ErrorKind::ArgumentConflict
    );
    assert_eq!(
        refused("--affair x --code 1 --prompt"),
        ErrorKind::ArgumentConflict
    );
    assert_eq!(
        refused("--affair x --code 1 --check"),
        ErrorKind::ArgumentConflict
    );
    assert_eq!(
        parsed("agency-terminal --prompt").unwrap_err().kind(),
        ErrorKind::MissingRequiredArgument
    );
}

#[test]
fn answers_end_with_zero_and_refusals_with_one() {
    let node = Node::start();
    for (affair, code) in [
        ("match", ExitCode::SUCCESS),
        ("no-match", ExitCode::SUCCESS),
        ("several", ExitCode::SUCCESS),
        ("refused", ExitCode::FAILURE),
    ] {
        let mut console = Script::default();
        let ended = node
            .run(
                &format!("--affair {affair} --code 1"),
                &mut console,
                Lang::En,
            )
            .unwrap();
        assert_eq!(format!("{ended:?}"), format!("{code:?}"), "{affair}");
        assert!(
            console.said.contains(&affair.replace('-', " ")),
            "{}",
            console.said
        );
    }
    let cut = node
        .run("--affair cut --code 1", &mut Script::default(), Lang::En)
        .unwrap_err();
    assert_eq!(cut.code, ErrorCode::LineDown);
}

#[test]
fn an_answer_is_lines_in_the_readers_language_or_one_object() {
    let node = Node::start();
    let said = |rest: &str, lang| {
        let mut console = Script::default();
        node.run(rest, &mut console, lang).unwrap();
        console.said
    };
    let english = said("--affair match --code 1", Lang::En);
    assert!(
        english.contains("name          山田　花子\n")
            && english.contains("birth date    1970-01-02\n"),
        "{english}"
    );
    let japanese = said("--affair match --code 1", Lang::Ja);
    assert!(
        japanese.contains(
            "結果            該当あり\n住民票コード    91234567893\n氏名            山田　花子\n"
        ),
        "{japanese}"
    );
    let object: Value =
        serde_json::from_str(&said("--affair match --code 1 --json", Lang::Ja)).unwrap();
    assert_eq!(object["record"]["code"], "91234567893");
    assert!(said("--affair refused --code 1", Lang::En).contains("refused JKA-1101 no basis"));
}

#[test]
fn a_code_is_read_from_the_input_and_items_are_passed_on_as_given() {
    let node = Node::start();
    node.run(
        "--affair match --code -",
        &mut Script::of("91234567893"),
        Lang::En,
    )
    .unwrap();
    node.run(
        "--affair match --name n --birth b --sex s --address a",
        &mut Script::default(),
        Lang::En,
    )
    .unwrap();
    assert_eq!(
        node.heard(),
        [
            json!({"affair": "match", "code": "91234567893"}),
            json!({"affair": "match", "name": "n", "birth": "b", "sex": "s", "address": "a"})
        ]
    );
    let missing = node
        .run("--affair match --code -", &mut Script::default(), Lang::En)
        .unwrap_err();
    assert_eq!(missing.code, ErrorCode::ItemMissing);
}

#[test]
fn a_log_in_comes_before_the_question_and_its_failure_ends_it() {
    let node = Node::start();
    let card = node.path("a.card").display().to_string();
    let pin = node.path("a.pin").display().to_string();
    let mut console = Script::default();
    node.run(
        &format!("--login {card} --pin-file {pin} --affair match --code 1 --json"),
        &mut console,
        Lang::En,
    )
    .unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(&console.said).unwrap()["outcome"],
        "match",
        "one object alone"
    );
    let real = Path::new(&card).canonicalize().unwrap();
    assert_eq!(
        node.heard(),
        [
            json!({"card": real, "pin": "2468"}),
            json!({"affair": "match", "code": "1"})
        ]
    );
    let typed = format!("--login {card} --affair match --code 1");
    let wrong = node
        .run(&typed, &mut Script::of("1111"), Lang::Ja)
        .unwrap_err();
    assert_eq!(wrong.code, ErrorCode::PinWrong);
    assert!(
        wrong.explained(Lang::Ja).starts_with("JKA-")
            && !wrong.explained(Lang::Ja).contains("1111")
    );
    assert_eq!(node.heard().len(), 3, "nothing was asked");
    let nowhere = node
        .run("--login no.card", &mut Script::of("1"), Lang::En)
        .unwrap_err();
    assert_eq!(nowhere.code, ErrorCode::CardUnknown);
}

#[test]
fn a_prompt_goes_from_log_in_to_log_out_and_over_what_goes_wrong() {
    let node = Node::start();
    let card = node.path("a.card").display().to_string();
    let lines = format!(
        "help\ncode 1\nlogin {card}\n1111\nlogin {card}\n2468\naffair cut\ncode 1\naffair match\ncode\n91234567893\nitems\nn\nb\ns\na\nnonsense\n\nlogin\nlogout\nquit\ncode 9"
    );
    let mut console = Script::of(&lines);
    node.run("--prompt", &mut console, Lang::En).unwrap();
    let codes: Vec<Value> = node
        .heard()
        .iter()
        .map(|body| body["code"].clone())
        .collect();
    assert_eq!(
        codes,
        [
            json!(null),
            json!(null),
            json!("1"),
            json!("91234567893"),
            json!(null)
        ]
    );
    assert_eq!(
        node.heard().last(),
        Some(&json!({"affair": "match", "name": "n", "birth": "b", "sex": "s", "address": "a"}))
    );
    let complained: Vec<&str> = console
        .complained
        .lines()
        .filter(|line| !line.starts_with(' '))
        .collect();
    assert_eq!(complained.len(), 5, "{complained:?}");
    assert!(
        complained[0].contains("affair") && complained[1].starts_with(ErrorCode::PinWrong.code())
    );
    assert!(
        complained[2].starts_with(ErrorCode::LineDown.code()) && complained[3].contains("nonsense")
    );
    assert!(
        console.said.contains("op-1") && console.said.ends_with("logged out\n"),
        "{}",
        console.said
    );
    assert_eq!(console.lines, ["code 9"], "quit ends it");
}

#[test]
fn a_prompt_in_json_says_nothing_but_answers_and_ends_with_its_input() {
    let node = Node::start();
    let mut console = Script::of("help\naffair several\ncode 1\naffair match\ncode 2");
    node.run("--prompt --json --affair no-match", &mut console, Lang::En)
        .unwrap();
    let outcomes = console
        .said
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["outcome"].clone());
    assert_eq!(outcomes.collect::<Vec<_>>(), ["several", "match"]);
    assert_eq!(console.complained, "");
}

#[test]
fn nobody_on_the_socket_is_told_as_not_running() {
    let folder = tempfile::tempdir().unwrap();
    let terminal = Terminal::new(&folder.path().join("admin.sock"), Lang::En).unwrap();
    let failure = terminal.log_out().unwrap_err();
    assert_eq!(failure.code, ErrorCode::NotRunning);
    assert!(failure.explained(Lang::En).contains("admin.sock"));
}

#[test]
fn a_line_without_end_is_refused_and_a_long_one_is_not_kept() {
    let mut input = io::Cursor::new(vec![b'x'; 5_000]);
    assert_eq!(
        console::read_line(&mut input).unwrap_err().kind(),
        io::ErrorKind::InvalidData
    );
    let mut input = io::Cursor::new(b" 12 \n34".to_vec());
    assert_eq!(
        console::read_line(&mut input).unwrap().as_deref(),
        Some("12")
    );
    assert_eq!(
        console::read_line(&mut input).unwrap().as_deref(),
        Some("34")
    );
    assert_eq!(console::read_line(&mut input).unwrap(), None);
}
