//! The stable word of each reason: what programs that read a plan go by.

use super::{Action, CreateReason, DeleteReason, KeepReason, QuarantineReason, UpdateReason};

impl Action {
    /// The stable word of the reason.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Create { reason: CreateReason::New, .. } => "new",
            Self::Create { reason: CreateReason::DeletedInOutlook, .. } => "deleted_in_outlook",
            Self::Update { reason: UpdateReason::SourceChanged, .. } => "source_changed",
            Self::Update { reason: UpdateReason::ChangedInOutlook, .. } => "changed_in_outlook",
            Self::Delete { reason, .. } | Self::Hold { reason, .. } => reason.code(),
            Self::Keep { reason, .. } => reason.code(),
            Self::Forget => "gone",
            Self::Quarantine { reason: QuarantineReason::Refused(_) } => "refused",
            Self::Quarantine { reason: QuarantineReason::RepairedTooOften } => "repaired_too_often",
        }
    }
}

impl DeleteReason {
    const fn code(self) -> &'static str {
        match self {
            Self::DeletedInSource => "deleted_in_source",
            Self::Cancelled => "cancelled",
            Self::OutOfScope => "out_of_scope",
            Self::HandedOver => "handed_over",
            Self::Reshaped => "reshaped",
            Self::Orphan => "orphan",
            Self::Purged => "purged",
        }
    }
}

impl KeepReason {
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Frozen => "frozen",
            Self::SourceIncomplete => "source_incomplete",
            Self::OutOfWindow => "out_of_window",
            Self::NotSelected => "not_selected",
            Self::Generic => "generic",
            Self::TooLong => "too_long",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled_before",
            Self::DeletedByUser => "deleted_by_user",
            Self::NotSeen => "not_seen",
        }
    }
}
