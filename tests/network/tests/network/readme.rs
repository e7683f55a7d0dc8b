//! What README.md tells people to type.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use network::Deployment;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The commands in the `sh` blocks of a document, continued lines joined, comments left out.
fn commands(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut lines = text.lines();
    while lines.by_ref().any(|line| line.trim() == "```sh") {
        let block: Vec<&str> = lines
            .by_ref()
            .take_while(|line| line.trim() != "```")
            .collect();
        let block = block.join("\n").replace("\\\n", " ");
        let uncommented = block
            .lines()
            .map(|line| line.split(" #").next().unwrap().trim().to_owned());
        commands.extend(uncommented.filter(|line| !line.is_empty() && !line.starts_with('#')));
    }
    commands
}

/// The words of a command without quotes, environment before and redirections behind.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for letter in command.chars() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (None, '\'' | '"') => quote = Some(letter),
            (None, ' ') => words.push(String::new()),
            (_, _) => words.last_mut().unwrap().push(letter),
        }
    }
    words
        .into_iter()
        .filter(|word| !word.is_empty())
        .take_while(|word| !["|", ">", "&&", "&"].contains(&word.as_str()))
        .collect()
}

#[test]
fn every_command_in_the_readme_exists_and_those_of_jukinet_run() {
    let net = Deployment::nowhere();
    for document in ["README.md", "README.ja.md"] {
        let commands = commands(&fs::read_to_string(Path::new(ROOT).join(document)).unwrap());
        assert!(
            commands
                .iter()
                .any(|command| command.starts_with("./scripts/demo")),
            "{document}: {commands:?}"
        );
        assert!(
            commands
                .iter()
                .any(|command| command.starts_with("./scripts/test")),
            "{document}: {commands:?}"
        );
        for command in commands {
            let words = words(&command);
            let first = words[0].as_str();
            let name = first.rsplit('/').next().unwrap();
            if first.starts_with("./") && name != "jukinet" {
                let mode = fs::metadata(Path::new(ROOT).join(first))
                    .unwrap_or_else(|_| panic!("{first} of {document} is missing"))
                    .permissions()
                    .mode();
                assert_eq!(mode & 0o111, 0o111, "{first} cannot be executed");
            } else if name == "jukinet" {
                run(&net, &words[1..]);
            }
        }
    }
}

/// Runs a command in the test's folder; one that would not end is asked for its help.
fn run(net: &Deployment, arguments: &[String]) {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let endless = match arguments.first() {
        Some(&"demo") => !arguments.contains(&"--exit"),
        Some(&"up") => !arguments.contains(&"--detach"),
        Some(&"bench") => true,
        Some(_) | None => arguments.contains(&"--watch"),
    };
    if endless {
        let _help = net.jukinet(&[&arguments[..1], &["--help"]].concat()).held();
    } else {
        let _done = net.jukinet(&arguments).held();
    }
}
