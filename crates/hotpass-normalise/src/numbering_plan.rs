//! The numbering plans of libphonenumber, compiled for speed.
//!
//! The plans are the library's own metadata, read at run time, so they cannot drift from it. What is done here follows the
//! library's algorithm step by step for the plain cases and declines every other case; a property test holds the two equal.

use std::sync::{LazyLock, OnceLock};

use regex::Regex;
use rlibphonenumber::{PHONE_NUMBER_UTIL, Region, interfaces::AsOriginal};

use crate::phone::LineType;

/// Most digits of a calling code with its national number (E.164), with room for a prefix.
const MOST_DIGITS: usize = 18;

/// A number as calling code and national number, which does not start with a zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PlainNumber {
    pub(crate) country_code: u16,
    pub(crate) national_number: u64,
    pub(crate) line_type: LineType,
    pub(crate) region: Option<Region>,
}

/// The numbers of one kind in a plan: those of certain lengths that match a pattern.
#[derive(Debug)]
struct Range {
    line_type: LineType,
    /// A bit for each length; no bit is any length.
    lengths: u32,
    pattern: Regex,
}

impl Range {
    fn contains(&self, national: &str) -> bool {
        (self.lengths == 0 || self.lengths & length_bit(national.len()) != 0) && self.pattern.is_match(national)
    }
}

/// The numbering plan of a region.
#[derive(Debug)]
struct Plan {
    region: Region,
    country_code: u16,
    code_digits: String,
    /// Dialled before international numbers; `None` stands for a pattern that is not plain digits.
    international_prefix: Prefix,
    national_prefix: Prefix,
    general: Range,
    /// Lengths that are only dialled inside an area.
    local_lengths: u32,
    /// Digits that set the region apart from others with the same calling code.
    leading_digits: Option<Regex>,
    /// In the order in which the library asks them.
    ranges: Vec<Range>,
    same_fixed_and_mobile: bool,
}

/// What is dialled before a number.
#[derive(Debug)]
enum Prefix {
    Nothing,
    Digits(String),
    Pattern(Regex),
}

impl Prefix {
    /// Reads a pattern; `None` when it cannot be compiled.
    fn new(pattern: Option<&str>) -> Option<Self> {
        Some(match pattern {
            None | Some("") => Self::Nothing,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Self::Digits(digits.to_owned()),
            Some(pattern) => Self::Pattern(Regex::new(&format!("^(?:{pattern})")).ok()?),
        })
    }
}

fn length_bit(length: usize) -> u32 {
    if length < 32 { 1 << length } else { 0 }
}

fn length_bits(lengths: &[i32]) -> u32 {
    lengths.iter().filter_map(|length| usize::try_from(*length).ok()).map(length_bit).fold(0, |bits, bit| bits | bit)
}

/// Returns the text between `^(?:` and `)$`, in which the library keeps its patterns.
fn inner_pattern(pattern: &str) -> &str {
    pattern.strip_prefix("^(?:").and_then(|rest| rest.strip_suffix(")$")).unwrap_or(pattern)
}

impl Plan {
    fn new(region: Region) -> Option<Self> {
        let metadata = PHONE_NUMBER_UTIL.as_original().get_metadata_for_region(region)?;
        let pattern = |base: &Option<String>| {
            base.as_deref().map(inner_pattern).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        macro_rules! range {
            ($field:ident, $line_type:expr) => {
                pattern(&metadata.$field.national_number_pattern().pattern_base)
                    .and_then(|text| Regex::new(&format!("^(?:{text})$")).ok())
                    .map(|pattern| Range {
                        line_type: $line_type,
                        lengths: length_bits(&metadata.$field.original.possible_length),
                        pattern,
                    })
            };
        }
        let general = range!(general_desc, LineType::Unknown)?;
        let ranges = [
            range!(premium_rate, LineType::PremiumRate),
            range!(toll_free, LineType::TollFree),
            range!(shared_cost, LineType::SharedCost),
            range!(voip, LineType::Voip),
            range!(personal_number, LineType::PersonalNumber),
            range!(pager, LineType::Pager),
            range!(uan, LineType::UniversalAccess),
            range!(voicemail, LineType::Voicemail),
            range!(fixed_line, LineType::Fixed),
            range!(mobile, LineType::Mobile),
        ];
        let leading_digits = pattern(&metadata.leading_digits().pattern_base);
        let country_code = u16::try_from(metadata.original.country_code()).ok()?;
        Some(Self {
            region,
            country_code,
            code_digits: country_code.to_string(),
            international_prefix: Prefix::new(pattern(&metadata.international_prefix().pattern_base).as_deref())?,
            national_prefix: if metadata.original.national_prefix_transform_rule().is_empty() {
                Prefix::new(pattern(&metadata.national_prefix_for_parsing().pattern_base).as_deref())?
            } else {
                Prefix::Pattern(
                    Regex::new(&format!("^(?:{})", pattern(&metadata.national_prefix_for_parsing().pattern_base)?))
                        .ok()?,
                )
            },
            general,
            local_lengths: length_bits(&metadata.general_desc.original.possible_length_local_only),
            leading_digits: match leading_digits {
                Some(text) => Some(Regex::new(&format!("^(?:{text})")).ok()?),
                None => None,
            },
            ranges: ranges.into_iter().flatten().collect(),
            same_fixed_and_mobile: metadata.original.same_mobile_and_fixed_line_pattern(),
        })
    }

    /// Takes the national prefix off a number, or declines.
    fn without_national_prefix<'a>(&self, national: &'a str) -> Option<&'a str> {
        match &self.national_prefix {
            Prefix::Nothing => Some(national),
            Prefix::Digits(prefix) => match national.strip_prefix(prefix.as_str()) {
                None => Some(national),
                Some(stripped) => self.general.pattern.is_match(stripped).then_some(stripped),
            },
            Prefix::Pattern(pattern) => (!pattern.is_match(national)).then_some(national),
        }
    }

    /// Whether a national number has one of the lengths of whole numbers.
    fn is_possible(&self, national: &str) -> bool {
        let bit = length_bit(national.len());
        self.general.lengths & bit != 0 && self.local_lengths & bit == 0
    }

    fn line_type(&self, national: &str) -> LineType {
        if !self.general.contains(national) {
            return LineType::Unknown;
        }
        let mut found = self.ranges.iter().filter(|range| range.contains(national)).map(|range| range.line_type);
        match found.next() {
            Some(LineType::Fixed) if self.same_fixed_and_mobile || found.next() == Some(LineType::Mobile) => {
                LineType::FixedOrMobile
            }
            Some(LineType::Mobile) if self.same_fixed_and_mobile => LineType::Unknown,
            Some(line_type) => line_type,
            None => LineType::Unknown,
        }
    }
}

/// The regions of a calling code, the main one first.
type Regions = OnceLock<Option<Vec<Plan>>>;

/// Returns the plans below a calling code; nothing for codes without regions.
fn plans(country_code: u16) -> Option<&'static [Plan]> {
    static PLANS: LazyLock<Vec<Regions>> = LazyLock::new(|| (0..1000).map(|_| OnceLock::new()).collect());
    PLANS
        .get(usize::from(country_code))?
        .get_or_init(|| {
            let regions = PHONE_NUMBER_UTIL.get_regions_for_country_calling_code(i32::from(country_code))?;
            regions.map(Plan::new).collect::<Option<Vec<_>>>().filter(|plans| !plans.is_empty())
        })
        .as_deref()
}

/// Returns the plan of a region.
fn plan_of(region: Region) -> Option<&'static Plan> {
    static CODES: LazyLock<Vec<OnceLock<Option<u16>>>> = LazyLock::new(|| (0..676).map(|_| OnceLock::new()).collect());
    let text = region.as_region_str();
    let &[first, second] = text.as_bytes() else { return None };
    let index = usize::from(first.checked_sub(b'A')?) * 26 + usize::from(second.checked_sub(b'A')?);
    let country_code = (*CODES.get(index)?.get_or_init(|| {
        PHONE_NUMBER_UTIL.get_country_code_for_region(region).and_then(|code| u16::try_from(code).ok())
    }))?;
    plans(country_code)?.iter().find(|plan| plan.region == region)
}

/// Reads a number written with digits, spaces, `-`, `.` and brackets and at most a `+` before them.
///
/// `None` means that the text is not plain, not possible, or that the library must decide.
pub(crate) fn read_plain(text: &str, region: Option<Region>) -> Option<PlainNumber> {
    let mut buffer = [0_u8; MOST_DIGITS];
    let mut length = 0;
    let mut international = false;
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' => {
                *buffer.get_mut(length)? = byte;
                length += 1;
            }
            b'+' if length == 0 && !international => international = true,
            b'(' => {}
            b' ' | b'-' | b'.' | b')' if length > 0 => {}
            _ => return None,
        }
    }
    let digits = std::str::from_utf8(&buffer[..length]).ok()?;
    if length < 7 {
        return None;
    }
    if international {
        return read_international(digits);
    }
    let plan = plan_of(region?)?;
    match &plan.international_prefix {
        Prefix::Digits(prefix) => {
            if let Some(rest) = digits.strip_prefix(prefix.as_str()) {
                return if rest.starts_with('0') { None } else { read_international(rest) };
            }
        }
        Prefix::Pattern(pattern) if pattern.is_match(digits) => return None,
        Prefix::Pattern(_) | Prefix::Nothing => {}
    }
    read_national(digits, plan)
}

/// Reads digits that start with a calling code.
fn read_international(digits: &str) -> Option<PlainNumber> {
    if digits.len() < 7 || digits.starts_with('0') {
        return None;
    }
    for code_length in 1..=3 {
        let (code, national) = digits.split_at(code_length);
        if let Some(plans) = plans(code.parse().ok()?) {
            return finish(plans.first()?.without_national_prefix(national)?, plans);
        }
    }
    None
}

/// Reads digits as dialled in a region.
fn read_national(digits: &str, plan: &Plan) -> Option<PlainNumber> {
    let plans = plans(plan.country_code)?;
    if let Some(rest) = digits.strip_prefix(plan.code_digits.as_str())
        && !plan.general.pattern.is_match(digits)
    {
        let national = plan.without_national_prefix(rest)?;
        if !plan.general.pattern.is_match(national) {
            return None;
        }
        // The library strips a national prefix again, by the plan of the code's main region.
        return finish(plans.first()?.without_national_prefix(national)?, plans);
    }
    // Where the library would take a calling code off a number that is too long, it decides.
    if digits.starts_with(&plan.code_digits) && !plan.is_possible(digits) {
        return None;
    }
    let national = plan.without_national_prefix(digits)?;
    if plan.is_possible(national) { finish(national, plans) } else { None }
}

/// Checks the length of a national number and finds its region and kind.
fn finish(national: &str, plans: &[Plan]) -> Option<PlainNumber> {
    let main = plans.first()?;
    if national.starts_with('0') || !main.is_possible(national) {
        return None;
    }
    let (mut region, mut line_type) = (None, LineType::Unknown);
    for plan in plans {
        line_type = plan.line_type(national);
        let leads = plan.leading_digits.as_ref().is_some_and(|leading| leading.is_match(national));
        if leads || line_type != LineType::Unknown || plans.len() == 1 {
            region = Some(plan.region);
            break;
        }
    }
    Some(PlainNumber { country_code: main.country_code, national_number: national.parse().ok()?, line_type, region })
}
