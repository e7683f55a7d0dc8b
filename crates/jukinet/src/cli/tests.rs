use clap::error::ErrorKind;

use super::*;

fn parsed(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split_whitespace())
}

fn refused(line: &str) -> ErrorKind {
    parsed(line).map(|_| ()).unwrap_err().kind()
}

#[test]
fn the_definition_holds_together_in_both_languages() {
    definition(Lang::En).debug_assert();
    definition(Lang::Ja).debug_assert();
}

#[test]
fn the_nodes_to_start_are_a_list_after_their_flag() {
    let Command::Up(up) = parsed("jukinet up net --detach --only a b --ready-timeout-s 9")
        .unwrap()
        .command
    else {
        panic!("not up")
    };
    let only: Vec<String> = up.selection.only.iter().map(ToString::to_string).collect();
    assert_eq!(only, ["a", "b"]);
    assert!(up.detach && up.selection.except.is_empty());
    assert_eq!(up.ready_timeout_s, 9);
    assert_eq!(
        refused("jukinet up net --only a --except b"),
        ErrorKind::ArgumentConflict
    );
}

#[test]
fn language_and_json_may_stand_before_or_after_the_command() {
    let before = parsed("jukinet --lang ja --json status net").unwrap();
    let after = parsed("jukinet status net --json --lang ja").unwrap();
    assert_eq!((before.lang, before.json), (Some(Lang::Ja), true));
    assert_eq!((after.lang, after.json), (Some(Lang::Ja), true));
    assert_eq!(
        refused("jukinet --lang fr status net"),
        ErrorKind::ValueValidation
    );
}

#[test]
fn a_watched_status_has_no_json() {
    assert_eq!(
        refused("jukinet status net --watch --json"),
        ErrorKind::ArgumentConflict
    );
}

#[test]
fn a_query_is_by_code_or_by_a_name_with_its_birth_date() {
    assert!(parsed("jukinet query net --affair x --code 1").is_ok());
    assert!(
        parsed("jukinet query net --affair x --name n --birth b --sex male --address a").is_ok()
    );
    assert_eq!(
        refused("jukinet query net --affair x"),
        ErrorKind::MissingRequiredArgument
    );
    assert!(parsed("jukinet query net --affair x --name n --name-begins --birth b").is_ok());
    assert_eq!(
        refused("jukinet query net --affair x --name n"),
        ErrorKind::MissingRequiredArgument
    );
    assert_eq!(
        refused("jukinet query net --affair x --code 1 --name n --birth b --sex male --address a"),
        ErrorKind::ArgumentConflict
    );
}

#[test]
fn the_communication_server_stands_before_its_action() {
    let line = "jukinet cs net cs-352047 import rows.csv --initial-date 2002-08-05";
    let Command::Cs(cs) = parsed(line).unwrap().command else {
        panic!("not cs")
    };
    assert_eq!(cs.node, "cs-352047");
    let CsAction::Import(import) = cs.action else {
        panic!("not import")
    };
    assert_eq!(
        import.initial_date.map(|date| date.to_string()).as_deref(),
        Some("2002-08-05")
    );
    assert_eq!(
        refused("jukinet cs net cs-352047 import rows.csv --initial-date 2002-02-30"),
        ErrorKind::ValueValidation
    );
}

#[test]
fn values_out_of_bounds_are_refused_by_the_command_line() {
    assert_eq!(refused("jukinet trace net 12"), ErrorKind::ValueValidation);
    assert_eq!(
        refused("jukinet population --municipality 352047 --scale 0 --seed 1 --out d"),
        ErrorKind::ValueValidation
    );
    assert_eq!(
        refused("jukinet population --municipality 352047 --scale NaN --seed 1 --out d"),
        ErrorKind::ValueValidation
    );
    for count in ["0", "257", "-1"] {
        let line = "jukinet population --municipality 352047 --seed 1 --out d --threads";
        assert_eq!(
            refused(&format!("{line}={count}")),
            ErrorKind::ValueValidation
        );
    }
    assert_eq!(
        refused("jukinet audit verify"),
        ErrorKind::MissingRequiredArgument
    );
    assert_eq!(
        refused("jukinet new d --preset none"),
        ErrorKind::InvalidValue
    );
}

#[test]
fn every_command_and_argument_has_help_in_both_languages() {
    fn walk(path: &str, english: &clap::Command, japanese: &clap::Command) {
        let path = format!("{path} {}", english.get_name());
        let pair = |one: Option<&clap::builder::StyledStr>,
                    other: Option<&clap::builder::StyledStr>,
                    what: &str| {
            let one = one.map(ToString::to_string).unwrap_or_default();
            let other = other.map(ToString::to_string).unwrap_or_default();
            assert!(!one.is_empty(), "{path} {what} has no help");
            assert!(!other.is_ascii(), "{path} {what} has no Japanese help");
        };
        pair(english.get_about(), japanese.get_about(), "");
        for argument in english
            .get_arguments()
            .filter(|argument| !argument.is_hide_set())
        {
            let other = japanese
                .get_arguments()
                .find(|other| other.get_id() == argument.get_id())
                .unwrap();
            pair(
                argument.get_help(),
                other.get_help(),
                argument.get_id().as_str(),
            );
        }
        for command in english.get_subcommands() {
            walk(
                &path,
                command,
                japanese.find_subcommand(command.get_name()).unwrap(),
            );
        }
    }
    walk("", &definition(Lang::En), &definition(Lang::Ja));
}
