//! What differs between the register and this server.

use juki_domain::ChangeRequest;
use juki_services::registration::Resident;
use serde::Serialize;

/// The kinds of differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    /// The register has a resident whom this server does not have.
    MissingAtCs,
    /// This server has a resident whom the register does not have.
    MissingInRegister,
    /// Both have the resident, with other items.
    Altered,
    /// The file names one number twice with different content.
    Contradictory,
    /// The row cannot be read.
    RefusedRow,
    /// The record changed after the comparison began: no difference.
    Late,
}

/// How many of each kind there are.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Counts {
    /// Rows of the file.
    pub(super) rows: u64,
    /// Residents of this server that stand.
    pub(super) residents: u64,
    missing_at_cs: u64,
    missing_in_register: u64,
    altered: u64,
    contradictory: u64,
    refused_row: u64,
    late: u64,
}

impl Counts {
    pub(super) fn add(&mut self, kind: Kind) {
        let count = match kind {
            Kind::MissingAtCs => &mut self.missing_at_cs,
            Kind::MissingInRegister => &mut self.missing_in_register,
            Kind::Altered => &mut self.altered,
            Kind::Contradictory => &mut self.contradictory,
            Kind::RefusedRow => &mut self.refused_row,
            Kind::Late => &mut self.late,
        };
        *count += 1;
    }

    /// All that differs.
    pub(super) fn differences(&self) -> u64 {
        self.missing_at_cs
            + self.missing_in_register
            + self.altered
            + self.contradictory
            + self.refused_row
    }
}

/// One difference, with both sides. It is for the register's clerk alone.
#[derive(Serialize)]
pub(super) struct Difference<'a> {
    pub(super) kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) line: Option<u64>,
    /// The first row with the same number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) other_line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) resident: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) items: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) register: Option<Side<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cs: Option<Side<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) column: Option<&'a str>,
}

impl Difference<'_> {
    pub(super) fn of(kind: Kind) -> Self {
        Self {
            kind,
            line: None,
            other_line: None,
            resident: None,
            items: Vec::new(),
            register: None,
            cs: None,
            code: None,
            column: None,
        }
    }
}

/// What one side says of a resident.
#[derive(Serialize)]
pub(super) struct Side<'a> {
    name: &'a str,
    birth: String,
    sex: &'static str,
    address: &'a str,
}

/// What the register says; `None` where the row lacks an item, which no row of a full export does.
pub(super) fn register_side(request: &ChangeRequest) -> Option<Side<'_>> {
    Some(Side {
        name: request.name.as_ref()?.reveal(),
        birth: request.birth?.reveal(),
        sex: request.sex?.ja(),
        address: request.address.as_ref()?.reveal(),
    })
}

/// What this server says.
pub(super) fn cs_side(resident: &Resident) -> Option<Side<'_>> {
    let (_, birth, sex, _) = resident.items()?;
    Some(Side {
        name: &resident.name,
        birth: birth.reveal(),
        sex: sex.ja(),
        address: &resident.address,
    })
}

/// The items in which both sides differ.
pub(super) fn altered(register: &Side<'_>, cs: &Side<'_>) -> Vec<&'static str> {
    let items = [
        ("name", register.name == cs.name),
        ("birth", register.birth == cs.birth),
        ("sex", register.sex == cs.sex),
        ("address", register.address == cs.address),
    ];
    let differs = items.into_iter().filter(|(_, same)| !same);
    differs.map(|(item, _)| item).collect()
}
