//! Tables of people: which row a name leads to, in every form in which tables are written.

use super::*;
use crate::text::source::Source;

fn table(name: &str, text: &str) -> PeopleTable {
    let source = Source { name: "map.yml", text: "" };
    let parsed = PeopleTable::parse(name, text.to_owned(), &NameColumns { columns: &[], source });
    parsed.unwrap_or_else(|error| panic!("{error}"))
}

/// The line of the row that a name leads to; 0 if it is in none; the lines of the rows if it is in several.
fn lines(table: &PeopleTable, name: &str) -> Vec<usize> {
    match table.find(&[name.to_owned()]) {
        PersonMatch::Person(person) => vec![table.rows[person.row].line],
        PersonMatch::NoRow => vec![0],
        PersonMatch::Ambiguous { rows: (first, second), .. } => vec![table.rows[first].line, table.rows[second].line],
    }
}

#[test]
fn any_cell_is_a_name_and_addresses_ignore_case() {
    let csv = "user;E-Mail;id\r\ndana;Dana@Corp.example;906-1\r\n\r\nlee;lee@corp.example;\r\n";
    let yaml = "- {user: dana, E-Mail: Dana@Corp.example, id: 906-1}\n\n\n- user: lee\n  E-Mail: lee@corp.example\n";
    for (table, first) in [(table("p.csv", csv), 2), (table("p.yml", yaml), 1)] {
        assert_eq!(table.columns().collect::<Vec<_>>(), ["user", "E-Mail", "id"]);
        for name in ["dana", "dana@corp.EXAMPLE", "906-1", " dana "] {
            assert_eq!(lines(&table, name), [first], "{name}");
        }
        assert_eq!(lines(&table, "Dana"), [0], "other names keep their case");
        assert_eq!((lines(&table, "lee"), lines(&table, "")), (vec![4], vec![0]));
        assert_eq!(table.column("e-mail"), Some(1), "columns ignore case");
    }
}

#[test]
fn name_in_several_rows_leads_to_the_row_that_alone_has_it_in_a_column() {
    let people = "user,email,team,manager\n\
        dana,dana@x.org,blue,lee@x.org\n\
        kim,kim@x.org,blue,lee@x.org\n\
        lee,lee@x.org,red,\n\
        red,red@x.org,green,\n";
    let table = table("p.csv", people);
    assert_eq!(lines(&table, "lee@x.org"), [4], "not the people that lee manages");
    assert_eq!(lines(&table, "blue"), [2, 3]);
    assert_eq!(lines(&table, "red"), [4, 5], "a team and a person");
    let found = table.find(&["nemo".to_owned(), "blue".to_owned(), "kim".to_owned()]);
    assert!(
        matches!(found, PersonMatch::Person(person) if person.cell(0) == Some("kim")),
        "the next name decides: {found:?}"
    );
}

#[test]
fn large_table_is_read_and_searched_by_its_index() {
    let mut text = "user,email,team\n".to_owned();
    for number in 0..50_000 {
        text.push_str(&format!("u{number},u{number}@x.org,t{}\n", number % 7));
    }
    let table = table("p.csv", &text);
    assert!((0..50_000).all(|number| lines(&table, &format!("U{number}@x.ORG")) == [number + 2]));
    assert_eq!(lines(&table, "t3").len(), 2);
}
