//! Types as Rust's compiler writes their names, of which `game-api.json` has those of functions.

/// A type, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RustType {
    /// A path, and what stands in its angle brackets.
    Path(String, Vec<RustType>),
    Tuple(Vec<RustType>),
    Array(Box<RustType>, u32),
}

/// How deep names may nest.
const MAX_DEPTH: usize = 32;

impl RustType {
    /// Takes a name apart. References, functions and traits are not understood.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parser = Parser { rest: text.trim() };
        let ty = parser.ty(0)?;
        parser.rest.is_empty().then_some(ty)
    }
}

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn ty(&mut self, depth: usize) -> Option<RustType> {
        if depth >= MAX_DEPTH {
            return None;
        }
        if self.take("(") {
            return self.list(")", depth).map(RustType::Tuple);
        }
        if self.take("[") {
            let item = self.ty(depth + 1)?;
            if !self.take(";") {
                return None;
            }
            let len = self.word(|c| c.is_ascii_digit()).parse().ok()?;
            return self.take("]").then(|| RustType::Array(Box::new(item), len));
        }
        let path = self.word(|c| c.is_alphanumeric() || c == '_' || c == ':').to_owned();
        if path.is_empty() {
            return None;
        }
        let parameters = if self.take("<") { self.list(">", depth)? } else { Vec::new() };
        Some(RustType::Path(path, parameters))
    }

    fn list(&mut self, end: &str, depth: usize) -> Option<Vec<RustType>> {
        let mut items = Vec::new();
        while !self.take(end) {
            items.push(self.ty(depth + 1)?);
            if !self.take(",") {
                return self.take(end).then_some(items);
            }
        }
        Some(items)
    }

    fn word(&mut self, is_part: impl Fn(char) -> bool) -> &str {
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        word
    }

    fn take(&mut self, token: &str) -> bool {
        let rest = self.rest.trim_start().strip_prefix(token);
        if let Some(rest) = rest {
            self.rest = rest.trim_start();
        }
        rest.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::RustType::{self, Array, Path, Tuple};

    #[test]
    fn names_are_taken_apart() {
        let path = |name: &str, of: Vec<RustType>| Path(name.to_owned(), of);
        let float = || path("f32", vec![]);
        for (text, expected) in [
            ("f32", Some(float())),
            ("()", Some(Tuple(vec![]))),
            ("(f32,)", Some(Tuple(vec![float()]))),
            ("(f32, [f32; 2])", Some(Tuple(vec![float(), Array(Box::new(float()), 2)]))),
            (
                "alloc::vec::Vec<core::option::Option<f32>>",
                Some(path("alloc::vec::Vec", vec![path("core::option::Option", vec![float()])])),
            ),
            ("&str", None),
            ("fn(u8)", None),
            ("[f32]", None),
            ("dyn Any", None),
            ("Vec<f32", None),
            ("", None),
        ] {
            assert_eq!(RustType::parse(text), expected, "{text}");
        }
        assert_eq!(RustType::parse(&"(".repeat(100_000)), None);
    }
}
