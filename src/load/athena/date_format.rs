//! Date formats of partition keys: Java date patterns. Only patterns with texts that sort by time are supported. Pure.

/// A Java date pattern with texts that sort by time, as parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateFormat(Vec<DatePart>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum DatePart {
    Year,
    Month,
    Day,
    Hour,
    Literal(String),
}

impl DateFormat {
    /// Parses a Java pattern (`yyyy/MM/dd`). `None` if its texts would not sort by time.
    pub fn parse(pattern: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut rest = pattern;
        while let Some(first) = rest.chars().next() {
            let (part, length) = if first == '\'' {
                let end = rest[1..].find('\'')?;
                (DatePart::Literal(rest[1..=end].to_owned()), end + 2)
            } else if first.is_ascii_alphabetic() {
                let length = rest.len() - rest.trim_start_matches(first).len();
                (DatePart::of_pattern(&rest[..length])?, length)
            } else {
                (DatePart::Literal(first.to_string()), first.len_utf8())
            };
            parts.push(part);
            rest = &rest[length..];
        }
        let order: Vec<&DatePart> = parts.iter().filter(|part| !matches!(part, DatePart::Literal(_))).collect();
        let by_size = [&DatePart::Year, &DatePart::Month, &DatePart::Day, &DatePart::Hour];
        (!order.is_empty() && by_size.starts_with(&order)).then_some(Self(parts))
    }

    /// A day and hour in this format.
    pub fn format(&self, day: jiff::civil::Date, hour: u8) -> String {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                DatePart::Year => text.push_str(&format!("{:04}", day.year())),
                DatePart::Month => text.push_str(&format!("{:02}", day.month())),
                DatePart::Day => text.push_str(&format!("{:02}", day.day())),
                DatePart::Hour => text.push_str(&format!("{hour:02}")),
                DatePart::Literal(literal) => text.push_str(literal),
            }
        }
        text
    }
}

impl DatePart {
    fn of_pattern(letters: &str) -> Option<Self> {
        match letters {
            "yyyy" | "uuuu" => Some(Self::Year),
            "MM" => Some(Self::Month),
            "dd" => Some(Self::Day),
            "HH" => Some(Self::Hour),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn date_formats_must_sort_by_time() {
        let day = jiff::civil::date(2019, 2, 1);
        let format = |pattern: &str| DateFormat::parse(pattern).map(|format| format.format(day, 7));
        assert_eq!(format("yyyy/MM/dd").as_deref(), Some("2019/02/01"));
        assert_eq!(format("yyyyMMdd-HH").as_deref(), Some("20190201-07"));
        assert_eq!(format("'year='yyyy'/month='MM").as_deref(), Some("year=2019/month=02"));
        for unsorted in ["dd/MM/yyyy", "MM/dd", "yyyy/dd", "yy/MM/dd", "yyyy/M/d", "", "yyyy'"] {
            assert_eq!(DateFormat::parse(unsorted), None, "{unsorted}");
        }
    }
}
