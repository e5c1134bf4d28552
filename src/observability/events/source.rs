//! Reading the sources.

use super::super::catalogue::declare_events;

declare_events! {
    /// The last read would delete more items, over all mailboxes, than the brake allows. Creates and updates go on.
    WARN SourceBraked<'a> "source_braked": "the deletions of a source are held back" {
        /// The source.
        source: &'a str,
        /// Which limit: that of the source, of a job, or of the whole run.
        limit: &'a str,
        /// Deletions held.
        count: u64,
        /// Items that they are a share of, in all calendars.
        total: u64,
    } hint "`calsyncd plan` lists them; bring the events back into the source, or raise [brake] and reload to let the deletions pass" metric "sources_braked_total"

    /// A source holds so much less than before that its deletions are held. Creates and updates go on.
    WARN SourceShrunk<'a> "source_shrunk": "a source holds much less than before" {
        /// The source.
        source: &'a str,
        /// Events that it holds now.
        events: u64,
        /// Events that it held before.
        before: u64,
    } hint "look at why; when it is meant, `calsyncd held approve --source` lets the deletions pass and takes the present count for right" metric "sources_shrunk_total"

    /// A source was read.
    INFO SourceReadFinished<'a> "source_read_finished": "a source was read" {
        /// The source.
        source: &'a str,
        /// Events that can be used.
        events: u64,
        /// Events that were quarantined.
        rejected: u64,
        /// Whether it was read whole: only then is an absent event a deleted one.
        complete: bool,
    } metric "source_reads_total"

    /// A source could not be read. Its events stay as they are.
    ERROR SourceReadError<'a> "source_read_error": "a source cannot be read" {
        /// The source.
        source: &'a str,
        /// Why.
        reason: &'a str,
    } hint "nothing is deleted meanwhile; see that the source can be reached and read" metric "source_read_errors_total"

    /// A source was read in part: what is missing is not taken for deleted.
    WARN SourceIncomplete<'a> "source_incomplete": "a source was read in part: nothing is deleted on its word" {
        /// The source.
        source: &'a str,
        /// What is missing.
        reason: &'a str,
    } metric "source_incomplete_reads_total"

    /// An event of a source cannot be used; the others go on.
    WARN EventQuarantined<'a> "event_quarantined": "an event is put into quarantine" {
        /// The source.
        source: &'a str,
        /// The source key, as far as it is known.
        key: &'a str,
        /// Where it stands: a file and a line.
        place: &'a str,
        /// Why.
        reason: &'a str,
    } hint "mend the event in the source; it is tried again at the next read" metric "events_quarantined_total"

    /// An event is shown by several items, or by single events in place of a series. Told once, until the reason changes.
    INFO EventExpanded<'a> "event_expanded": "an event is shown by several items" {
        /// The source.
        source: &'a str,
        /// The source key.
        key: &'a str,
        /// Whose calendar it is.
        mailbox: &'a str,
        /// Items inside the window.
        items: u64,
        /// Why one item cannot show it.
        reason: &'a str,
    } metric "events_expanded_total"
}
