//! Names of topics: `<prefix>/<box>/…`. Identifiers of the configuration may stand in topics as they are;
//! that is checked where a configuration is read.

/// Everything of one box lies below this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Base(String);

impl Base {
    pub(super) fn new(prefix: &str, box_id: &str) -> Self {
        Self(format!("{prefix}/{box_id}"))
    }

    pub(super) fn topic(&self, rest: &str) -> String {
        format!("{}/{rest}", self.0)
    }

    /// `online` or `offline`; the broker says `offline` when the box has gone without a word.
    pub(super) fn status(&self) -> String {
        self.topic("status")
    }

    pub(super) fn circuit(&self, id: &str, field: &str) -> String {
        self.topic(&format!("circuit/{id}/{field}"))
    }

    pub(super) fn meter(&self, id: &str, field: &str) -> String {
        self.topic(&format!("meter/{id}/{field}"))
    }

    pub(super) fn input(&self, id: &str, field: &str) -> String {
        self.topic(&format!("input/{id}/{field}"))
    }

    pub(super) fn output(&self, id: &str, field: &str) -> String {
        self.topic(&format!("output/{id}/{field}"))
    }

    pub(super) fn charger(&self, id: &str, field: &str) -> String {
        self.topic(&format!("charger/{id}/{field}"))
    }

    /// What was announced to Home Assistant, so that a later run can take it back.
    pub(super) fn announced(&self) -> String {
        self.topic("announced")
    }

    /// Where commands arrive.
    pub(super) fn commands(&self) -> [String; 2] {
        [self.topic("set/+"), self.topic("charger/+/set/+")]
    }

    /// Where earlier runs may have left something for parts that are not there any more. Does not
    /// overlap with the commands.
    pub(super) fn remains(&self) -> [String; 6] {
        let every = |part: &str| self.topic(&format!("{part}/+/+"));
        [self.mark(), every("circuit"), every("meter"), every("input"), every("charger"), self.announced()]
    }

    /// What the box sends to itself to learn that the broker has shown it all that is older.
    pub(super) fn mark(&self) -> String {
        self.topic("mark")
    }

    /// The part of a topic after the base.
    pub(super) fn rest<'a>(&self, topic: &'a str) -> Option<&'a str> {
        topic.strip_prefix(self.0.as_str())?.strip_prefix('/')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_begins_with_prefix_and_box() {
        let base = Base::new("site/dlb", "1a2b");
        assert_eq!(base.charger("a1", "limit"), "site/dlb/1a2b/charger/a1/limit");
        assert_eq!(base.rest("site/dlb/1a2b/set/strategy"), Some("set/strategy"));
        assert_eq!(base.rest("site/dlb/1a2bx/set/strategy"), None);
    }
}
