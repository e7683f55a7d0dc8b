//! How often an operator and a body may ask.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use juki_domain::ErrorCode;

/// Questions a minute, over all affairs together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessRates {
    /// Of one operator.
    pub operator_per_min: NonZeroU32,
    /// Of all operators of a body together.
    pub body_per_min: NonZeroU32,
}

/// One bound that a question must keep.
pub(crate) struct Bound<'a> {
    /// Who is bounded, and for what.
    pub(crate) subject: &'a str,
    /// Whether that is an operator or a body.
    pub(crate) of: BoundOf,
    /// Questions a minute.
    pub(crate) per_min: NonZeroU32,
}

/// Whose bound it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BoundOf {
    Operator,
    Body,
}

/// A bound is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RateReached {
    pub(crate) of: BoundOf,
    /// After how many milliseconds a question is admitted again.
    pub(crate) ask_again_ms: u64,
}

impl RateReached {
    pub(crate) fn code(self) -> ErrorCode {
        match self.of {
            BoundOf::Operator => ErrorCode::OperatorRateExceeded,
            BoundOf::Body => ErrorCode::BodyRateExceeded,
        }
    }
}

/// Token buckets of subjects; each holds one minute's allowance.
///
/// A bucket is one number: until when its tokens are spent, at the bucket's own rate. A bucket
/// whose time is past is full, and so as good as none.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    spent_until_ns: BTreeMap<String, u64>,
}

impl Rates {
    /// Takes one token from each bucket, or none from any.
    pub(crate) fn admit(&mut self, bounds: &[Bound<'_>], now_ms: u64) -> Result<(), RateReached> {
        let now_ns = now_ms.saturating_mul(NS_PER_MS);
        for bound in bounds {
            let over_ns = (self.spent(bound.subject, now_ns) + cost_ns(bound.per_min))
                .saturating_sub(now_ns + MINUTE_NS);
            if over_ns > 0 {
                return Err(RateReached {
                    of: bound.of,
                    ask_again_ms: over_ns.div_ceil(NS_PER_MS),
                });
            }
        }
        for bound in bounds {
            let spent = self.spent(bound.subject, now_ns) + cost_ns(bound.per_min);
            if let Some(known) = self.spent_until_ns.get_mut(bound.subject) {
                *known = spent;
            } else {
                self.make_room(now_ns);
                self.spent_until_ns.insert(bound.subject.to_owned(), spent);
            }
        }
        Ok(())
    }

    /// Never before now and never more than a minute ahead: a clock that was set back must not
    /// shut anybody out for longer.
    fn spent(&mut self, subject: &str, now_ns: u64) -> u64 {
        self.spent_until_ns
            .get_mut(subject)
            .map_or(now_ns, |spent| {
                *spent = (*spent).clamp(now_ns, now_ns + MINUTE_NS);
                *spent
            })
    }

    /// Forgets full buckets; where none is full, the one that is nearest to it.
    fn make_room(&mut self, now_ns: u64) {
        if self.spent_until_ns.len() < SUBJECTS_MAX {
            return;
        }
        self.spent_until_ns.retain(|_, spent| *spent > now_ns);
        if self.spent_until_ns.len() < SUBJECTS_MAX {
            return;
        }
        let fullest = self
            .spent_until_ns
            .iter()
            .min_by_key(|(_, spent)| **spent)
            .map(|(subject, _)| subject.clone());
        if let Some(subject) = fullest {
            self.spent_until_ns.remove(&subject);
        }
    }
}

fn cost_ns(per_min: NonZeroU32) -> u64 {
    MINUTE_NS / u64::from(per_min.get())
}

const NS_PER_MS: u64 = 1_000_000;
const MINUTE_NS: u64 = 60_000_000_000;
/// Operators and bodies with a bucket of their own: more than a network has cards in use at once.
const SUBJECTS_MAX: usize = 4_096;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const T0: u64 = 1_700_000_000_000;

    fn per_min(rate: u32) -> NonZeroU32 {
        NonZeroU32::new(rate).unwrap()
    }

    fn bound(subject: &str, rate: u32) -> [Bound<'_>; 1] {
        [Bound {
            subject,
            of: BoundOf::Operator,
            per_min: per_min(rate),
        }]
    }

    #[test]
    fn a_minutes_allowance_may_be_spent_at_once_and_comes_back_evenly() {
        let mut rates = Rates::default();
        for n in 0..60 {
            assert_eq!(rates.admit(&bound("a", 60), T0), Ok(()), "{n}");
        }
        let refused = rates.admit(&bound("a", 60), T0).unwrap_err();
        assert_eq!(refused.ask_again_ms, 1_000);
        assert!(rates.admit(&bound("a", 60), T0 + 999).is_err());
        assert_eq!(rates.admit(&bound("b", 60), T0), Ok(()), "another's bucket");
        assert_eq!(rates.admit(&bound("a", 60), T0 + 1_000), Ok(()));
        assert!(rates.admit(&bound("a", 60), T0 + 1_000).is_err());
        let spent = (0..70).filter(|_| rates.admit(&bound("a", 60), T0 + 600_000).is_ok());
        assert_eq!(
            spent.count(),
            60,
            "a long pause gives no more than a minute's"
        );
    }

    #[test]
    fn a_question_that_one_bound_refuses_takes_nothing_from_the_others() {
        let mut rates = Rates::default();
        let both = |body: u32| {
            [
                Bound {
                    subject: "operator",
                    of: BoundOf::Operator,
                    per_min: per_min(100),
                },
                Bound {
                    subject: "body",
                    of: BoundOf::Body,
                    per_min: per_min(body),
                },
            ]
        };
        assert_eq!(rates.admit(&both(1), T0), Ok(()));
        for _ in 0..1_000 {
            let refused = rates.admit(&both(1), T0).unwrap_err();
            assert_eq!(refused.code(), ErrorCode::BodyRateExceeded);
        }
        let left = (0..200).filter(|_| rates.admit(&bound("operator", 100), T0).is_ok());
        assert_eq!(left.count(), 99);
    }

    #[test]
    fn a_clock_that_is_set_back_shuts_nobody_out_for_longer_than_a_minute() {
        let mut rates = Rates::default();
        assert_eq!(rates.admit(&bound("a", 1), T0 + 3_600_000), Ok(()));
        let refused = rates.admit(&bound("a", 1), T0).unwrap_err();
        assert_eq!(refused.ask_again_ms, 60_000);
        assert_eq!(rates.admit(&bound("a", 1), T0 + 60_000), Ok(()));
    }

    #[test]
    fn memory_is_bounded_and_who_asks_most_is_forgotten_last() {
        let mut rates = Rates::default();
        for _ in 0..2 {
            assert_eq!(rates.admit(&bound("busy", 2), T0), Ok(()));
        }
        for n in 0..SUBJECTS_MAX + 100 {
            assert_eq!(rates.admit(&bound(&n.to_string(), 2), T0), Ok(()));
            assert!(rates.spent_until_ns.len() <= SUBJECTS_MAX);
        }
        assert!(rates.admit(&bound("busy", 2), T0).is_err());
    }

    proptest! {
        /// Whatever the pattern of questions, no span of time sees more than its share and one burst.
        #[test]
        fn no_span_sees_more_than_its_share(rate in 1u32..500, gaps in proptest::collection::vec(0u64..2_000, 1..400)) {
            let mut rates = Rates::default();
            let mut now = T0;
            let mut admitted = Vec::new();
            for gap in gaps {
                now += gap;
                match rates.admit(&bound("a", rate), now) {
                    Ok(()) => admitted.push(now),
                    Err(reached) => {
                        let again = now + reached.ask_again_ms;
                        prop_assert!(reached.ask_again_ms > 0);
                        let mut later = Rates { spent_until_ns: rates.spent_until_ns.clone() };
                        prop_assert!(later.admit(&bound("a", rate), again).is_ok());
                        prop_assert!(reached.ask_again_ms == 1 || later_refused(&rates, rate, again - 1));
                    }
                }
            }
            for (n, from) in admitted.iter().enumerate() {
                for (m, until) in admitted.iter().enumerate().skip(n) {
                    let share = f64::from(rate) * (60_000.0 + (until - from) as f64) / 60_000.0;
                    prop_assert!(((m - n + 1) as f64) <= share + 1e-3);
                }
            }
        }
    }

    fn later_refused(rates: &Rates, rate: u32, at: u64) -> bool {
        let mut copy = Rates {
            spent_until_ns: rates.spent_until_ns.clone(),
        };
        copy.admit(&bound("a", rate), at).is_err()
    }
}
