//! Numbers that states and institutions give to people and organisations.

mod cn_id_card;
mod us_ssn;

use crate::candidate::{Candidate, Proof};
use crate::kind::{Kind, Kinds};
use crate::number::{Number, digits_end};
use crate::text::Text;

/// A run of letters and digits in which an identifier may begin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// First byte of the run.
    pub(crate) start: usize,
    /// First digit in it.
    pub(crate) first_digit: usize,
    /// One past its last byte.
    pub(crate) end: usize,
}

/// The identifier that begins with the run, or with what stands before it: its type and where it is.
pub(crate) fn find(text: &Text<'_>, run: Run, wanted: &Kinds) -> Option<Candidate> {
    let Run { start, first_digit, .. } = run;
    if start != first_digit {
        return None;
    }
    let digits = digits_end(text, start);
    if wanted.has(Kind::CN_ID_CARD)
        && let Some(end) = cn_id_card::find(text, start, digits)
    {
        let rule = "CN_ID_CARD: province, date, check character";
        return Some(Candidate { kind: Kind::CN_ID_CARD, start, end, proof: Proof::Checked, rule });
    }
    let number = Number::read(text, start, digits);
    let end = us_ssn::find(&number).filter(|_| wanted.has(Kind::US_SSN))?;
    Some(Candidate { kind: Kind::US_SSN, start, end, proof: Proof::Form, rule: "US_SSN: area, group, serial" })
}
