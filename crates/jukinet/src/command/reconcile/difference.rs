//! One difference, as the communication server tells it.

use juki_domain::{ErrorCode, Lang};
use juki_intake::{WorkListRow, WorkListWriter};
use serde::Deserialize;

use crate::text;

/// The kinds, in the order in which they are shown.
pub(super) const KINDS: [&str; 6] = [
    "missing-at-cs",
    "missing-in-register",
    "altered",
    "contradictory",
    "refused-row",
    "late",
];

/// What a kind means.
pub(super) fn kind_label(lang: Lang, kind: &str) -> String {
    match kind {
        "missing-at-cs" => text::kind_missing_at_cs(lang),
        "missing-in-register" => text::kind_missing_in_register(lang),
        "altered" => text::kind_altered(lang),
        "contradictory" => text::kind_contradictory(lang),
        "refused-row" => text::kind_refused_row(lang),
        "late" => text::kind_late(lang),
        other => other.to_owned(),
    }
}

/// One difference.
#[derive(Deserialize)]
pub(super) struct Difference {
    pub(super) kind: String,
    line: Option<u64>,
    other_line: Option<u64>,
    #[serde(default)]
    pub(super) resident: String,
    #[serde(default)]
    pub(super) items: Vec<String>,
    pub(super) register: Option<Side>,
    cs: Option<Side>,
    code: Option<String>,
    column: Option<String>,
}

/// What one side says.
#[derive(Deserialize, Default)]
pub(super) struct Side {
    pub(super) name: String,
    pub(super) birth: String,
    pub(super) sex: String,
    pub(super) address: String,
}

impl Side {
    fn item(&self, item: &str) -> &str {
        match item {
            "name" => &self.name,
            "birth" => &self.birth,
            "sex" => &self.sex,
            "address" => &self.address,
            _ => "",
        }
    }

    fn whole(&self) -> String {
        [
            self.name.as_str(),
            self.birth.as_str(),
            self.sex.as_str(),
            self.address.as_str(),
        ]
        .join(" / ")
    }
}

impl Difference {
    /// What the screen shows of it: nothing of what either side says.
    pub(super) fn shown(&self) -> Vec<String> {
        let items = match &self.code {
            Some(code) => [code.as_str(), self.column.as_deref().unwrap_or("")].join(" "),
            None => self.items.join(", "),
        };
        let line = self.line.map(|line| line.to_string()).unwrap_or_default();
        vec![line, self.resident.clone(), self.kind.clone(), items]
    }

    /// Writes it into a work list: one row, or one for each item that differs.
    pub(super) fn write<S: FnMut(&[u8])>(&self, rows: &mut WorkListWriter<S>, lang: Lang) {
        let line = self.line.map(|line| line.to_string()).unwrap_or_default();
        let label = kind_label(lang, &self.kind);
        let proposal = self.proposal(lang);
        let row = WorkListRow {
            line: &line,
            resident: &self.resident,
            kind: &label,
            proposal: &proposal,
            ..WorkListRow::default()
        };
        let empty = Side::default();
        let (register, cs) = (&self.register, &self.cs);
        if self.kind == "altered" {
            for item in &self.items {
                // UTF-8 holds every text.
                let _ = rows.row(WorkListRow {
                    item: item_name(item),
                    register: register.as_ref().unwrap_or(&empty).item(item),
                    cs: cs.as_ref().unwrap_or(&empty).item(item),
                    ..row
                });
            }
            return;
        }
        let whole = |side: &Option<Side>| side.as_ref().map(Side::whole).unwrap_or_default();
        let (register, cs) = (whole(register), whole(cs));
        let item = match (&self.column, self.other_line) {
            (Some(column), _) => column.clone(),
            (None, Some(other)) => text::same_number_as(lang, other),
            (None, None) => self
                .items
                .iter()
                .map(|item| item_name(item))
                .collect::<Vec<_>>()
                .join("、"),
        };
        let _ = rows.row(WorkListRow {
            item: &item,
            register: &register,
            cs: &cs,
            ..row
        });
    }

    fn proposal(&self, lang: Lang) -> String {
        match self.kind.as_str() {
            "missing-at-cs" => "職権記載等".to_owned(),
            "missing-in-register" => "職権消除等".to_owned(),
            "altered" => "職権修正等".to_owned(),
            "contradictory" => text::correct_the_register(lang),
            "refused-row" => self
                .code
                .as_deref()
                .and_then(ErrorCode::from_code)
                .map(|code| format!("{code} {}", code.explain(lang).todo))
                .unwrap_or_default(),
            _ => String::new(),
        }
    }
}

/// The item in the words of the register's header.
fn item_name(item: &str) -> &str {
    match item {
        "name" => "氏名",
        "birth" => "生年月日",
        "sex" => "性別",
        "address" => "住所",
        other => other,
    }
}
