//! The comparison itself: rows against records, then records against rows.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

use juki_domain::{ChangeRequest, ErrorCode};
use juki_intake::{Reader, Reject};
use juki_services::registration::{Resident, ResidentsAsk};
use serde_json::json;

use super::difference::{Counts, Difference, Kind, altered, cs_side, register_side};
use crate::import::{ImportFailure, LineOutlet, Progress};
use crate::register::Register;

/// Rows that are looked up together.
const BATCH_ROWS: usize = 128;
/// Residents of a page: changes are decided between two of them.
const PAGE: u32 = 256;
/// Numbers that a file may name beyond twice the residents of this server: what is remembered of
/// them has a bound.
const NUMBERS_SURPLUS_MAX: u64 = 1_000_000;

/// A comparison that runs.
pub(super) struct Comparison<'a> {
    register: &'a Register,
    lines: &'a mut LineOutlet,
    counts: Counts,
    /// Number of the journal's last entry at the beginning.
    began: u64,
    /// The numbers that rows named, by pseudonym.
    named: HashMap<[u8; 16], Named>,
    named_max: usize,
    hasher: RandomState,
    batch: Vec<(u64, ChangeRequest)>,
}

/// The first row of a number.
struct Named {
    line: u64,
    content: u64,
}

impl<'a> Comparison<'a> {
    pub(super) async fn begin(
        register: &'a Register,
        lines: &'a mut LineOutlet,
    ) -> Result<Self, ImportFailure> {
        let first = page(register, Vec::new(), 1).await?;
        let named_max = register.residents_count() * 2 + NUMBERS_SURPLUS_MAX;
        Ok(Self {
            register,
            lines,
            counts: Counts::default(),
            began: first.head,
            named: HashMap::new(),
            named_max: usize::try_from(named_max).unwrap_or(usize::MAX),
            hasher: RandomState::new(),
            batch: Vec::with_capacity(BATCH_ROWS),
        })
    }

    pub(super) fn rows(&self) -> u64 {
        self.counts.rows
    }

    pub(super) async fn progress(&mut self, progress: Progress) {
        self.lines.progress(progress).await;
    }

    pub(super) async fn take(&mut self, reader: &mut Reader) -> Result<(), ImportFailure> {
        while let Some(row) = reader.next_row() {
            self.counts.rows += 1;
            match row.result {
                Err(reject) => self.refused(row.line, &reject).await,
                Ok(request) => {
                    self.batch.push((row.line, request));
                    if self.batch.len() == BATCH_ROWS {
                        self.end_of_file().await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Compares the rows that are gathered.
    pub(super) async fn end_of_file(&mut self) -> Result<(), ImportFailure> {
        let rows = std::mem::take(&mut self.batch);
        let numbers = rows.iter().map(|(_, request)| &request.resident);
        let found = self.register.find(numbers).await;
        let found = found.map_err(ImportFailure::new)?;
        for ((line, request), resident) in rows.iter().zip(&found) {
            if self.is_named_first(*line, request, resident).await? {
                self.compare(*line, request, resident).await;
            }
        }
        Ok(())
    }

    /// Looks for the residents that no row named.
    pub(super) async fn unnamed(mut self) -> Result<Counts, ImportFailure> {
        let mut after = Vec::new();
        loop {
            let page = page(self.register, after, PAGE).await?;
            for resident in page.residents.iter().filter(|resident| resident.present) {
                self.counts.residents += 1;
                let named = pseudonym(resident).is_some_and(|key| self.named.contains_key(&key));
                if !named {
                    let kind = self.unless_late(Kind::MissingInRegister, resident);
                    let difference = Difference {
                        resident: Some(&resident.number),
                        cs: cs_side(resident),
                        ..Difference::of(kind)
                    };
                    self.tell(&difference).await;
                }
            }
            if page.last.is_empty() {
                return Ok(self.counts);
            }
            after = page.last;
        }
    }

    /// Whether no row before named this number. One that says something else is a contradiction.
    async fn is_named_first(
        &mut self,
        line: u64,
        request: &ChangeRequest,
        resident: &Resident,
    ) -> Result<bool, ImportFailure> {
        let content = self.hasher.hash_one(request);
        let Some(key) = pseudonym(resident) else {
            return Err(ImportFailure::new(ErrorCode::FrameGarbage));
        };
        let Some(first) = self.named.get(&key) else {
            if self.named.len() >= self.named_max {
                return Err(ImportFailure::new(ErrorCode::RequestTooLarge));
            }
            self.named.insert(key, Named { line, content });
            return Ok(true);
        };
        if first.content != content {
            let difference = Difference {
                line: Some(line),
                other_line: Some(first.line),
                resident: Some(request.resident.reveal()),
                register: register_side(request),
                cs: cs_side(resident).filter(|_| resident.present),
                ..Difference::of(Kind::Contradictory)
            };
            self.tell(&difference).await;
        }
        Ok(false)
    }

    async fn compare(&mut self, line: u64, request: &ChangeRequest, resident: &Resident) {
        let Some(register) = register_side(request) else {
            return;
        };
        let cs = cs_side(resident).filter(|_| resident.present);
        let items = cs.as_ref().map(|cs| altered(&register, cs));
        let kind = match &items {
            None => Kind::MissingAtCs,
            Some(items) if items.is_empty() => return,
            Some(_) => Kind::Altered,
        };
        let difference = Difference {
            line: Some(line),
            resident: Some(request.resident.reveal()),
            items: items.unwrap_or_default(),
            register: Some(register),
            cs,
            ..Difference::of(self.unless_late(kind, resident))
        };
        self.tell(&difference).await;
    }

    async fn refused(&mut self, line: u64, reject: &Reject) {
        let difference = Difference {
            line: Some(line),
            code: Some(reject.code.code()),
            column: reject.column.as_deref(),
            ..Difference::of(Kind::RefusedRow)
        };
        self.tell(&difference).await;
    }

    fn unless_late(&self, kind: Kind, resident: &Resident) -> Kind {
        if resident.seq > self.began {
            Kind::Late
        } else {
            kind
        }
    }

    async fn tell(&mut self, difference: &Difference<'_>) {
        self.counts.add(difference.kind);
        self.lines.say(&json!({ "difference": difference })).await;
    }
}

fn pseudonym(resident: &Resident) -> Option<[u8; 16]> {
    resident.pseudonym.as_slice().try_into().ok()
}

async fn page(
    register: &Register,
    after: Vec<u8>,
    limit: u32,
) -> Result<juki_services::registration::ResidentsPage, ImportFailure> {
    let ask = ResidentsAsk {
        after,
        limit,
        records: true,
    };
    register.residents(ask).await.map_err(ImportFailure::new)
}
