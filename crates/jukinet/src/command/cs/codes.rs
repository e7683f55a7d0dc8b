//! `jukinet cs .. codes`: the codes of all residents, as a file for the register.

use juki_admin::AdminClient;
use serde_json::json;

use super::output::OutputFile;
use crate::cli::CodesArgs;
use crate::failure::{Ending, Outcome};
use crate::screen::Screen;
use crate::text;

pub(super) async fn run(client: AdminClient, args: &CodesArgs, screen: Screen) -> Ending {
    let file = OutputFile::new(&args.out)?;
    let mut sink = file.sink();
    let mut lines = 0_u64;
    client
        .get_lines("/v1/codes", "text/csv", |line| {
            sink(line);
            sink(b"\n");
            lines += 1;
            Ok(())
        })
        .await?;
    drop(sink);
    file.finish()?;
    let residents = lines.saturating_sub(1);
    let path = args.out.display().to_string();
    screen.line(text::codes_written(screen.lang, residents, &path));
    screen.document(&json!({"file": args.out, "residents": residents}))?;
    Ok(Outcome::Held)
}
