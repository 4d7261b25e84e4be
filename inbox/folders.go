package inbox

// Folders are the names of the folders into which mail is filed that was
// dealt with, and of the one whose mail is dealt with again
// (conversation.md section 7). They are written with / between levels,
// whatever the server puts there.
type Folders struct {
	Drafts, Suggestions, Letters, Bounces, Readers, Automatic, Quarantine, Again string
}

// DefaultFolders are the names where the configuration gives no others.
func DefaultFolders() Folders {
	return Folders{Drafts: "Galley/Drafts", Suggestions: "Galley/Suggestions", Letters: "Galley/Letters", Bounces: "Galley/Bounces",
		Readers: "Galley/Readers", Automatic: "Galley/Automatic", Quarantine: "Galley/Quarantine", Again: "Galley/Again"}
}

// Of is the folder of a kind of mail; "" where it has none and is only marked.
func (f Folders) Of(k Kind) string {
	switch k {
	case Draft, Answer, Command:
		return f.Drafts
	case Suggestion:
		return f.Suggestions
	case Letter:
		return f.Letters
	case Bounce, Complaint, Report:
		return f.Bounces
	case Subscribe, Unsubscribe, Confirm:
		return f.Readers
	case Auto, List, Own:
		return f.Automatic
	case Spam, Flood, Huge, Quarantine:
		return f.Quarantine
	}
	return ""
}
