package intent

// Word is a command, in the words of conversation.md section 2.
type Word string

// The words. A comment says what stands in Command.Args where anything does.
const (
	// Lets mail out.
	WordApprove       Word = "approve" // with At or Readings where a time was said
	WordApproveAnyway Word = "approve anyway"
	WordSend          Word = "send" // with At or Readings
	WordResume        Word = "resume"
	WordYes           Word = "yes"
	WordNo            Word = "no" // lets nothing out
	// Holds back.
	WordStop   Word = "stop"
	WordHold   Word = "hold" // also wait, don't send, not yet
	WordCancel Word = "cancel"
	WordSkip   Word = "skip"  // with At (until that day) or none
	WordPause  Word = "pause" // with At or none
	// Changes the text.
	WordChange     Word = "change"    // old, new
	WordDelete     Word = "delete"    // words
	WordTitle      Word = "title"     // text
	WordSubtitle   Word = "subtitle"  // text
	WordPreheader  Word = "preheader" // text
	WordUse        Word = "use"       // numbers; In names the section
	WordUseVersion Word = "use version"
	WordUndo       Word = "undo"
	// Links and letters.
	WordDecline     Word = "decline" // numbers; In is Kindly when the reader is to be told
	WordLater       Word = "later"   // numbers
	WordAsk         Word = "ask"     // numbers
	WordCredit      Word = "credit"  // number, name
	WordSuggestions Word = "suggestions"
	WordLetters     Word = "letters"
	// Asks.
	WordTest   Word = "test" // addresses or none
	WordShow   Word = "show"
	WordStatus Word = "status"
	WordFailed Word = "who failed"
	WordHelp   Word = "help"
	WordHello  Word = "hello"
	// The list.
	WordAdd     Word = "add"     // addresses
	WordRemove  Word = "remove"  // addresses
	WordForget  Word = "forget"  // addresses
	WordRelease Word = "release" // addresses; takes a suppression back
	WordList    Word = "list"    // addresses or none
	WordListCSV Word = "list csv"
	WordImport  Word = "import"
	// The editor as a reader.
	WordUnsubscribe Word = "unsubscribe"
)

// phrases are the commands that are a line by themselves. None that lets mail
// out stands here under another name: those are in assents.
var phrases = map[string]Word{
	"approve": WordApprove, "approve anyway": WordApproveAnyway, "resume": WordResume, "yes": WordYes, "no": WordNo,
	"stop": WordStop, "hold": WordHold, "wait": WordHold, "cancel": WordCancel, "skip": WordSkip, "pause": WordPause,
	"undo": WordUndo, "suggestions": WordSuggestions, "letters": WordLetters, "test": WordTest, "show": WordShow,
	"status": WordStatus, "who failed": WordFailed, "help": WordHelp, "hello": WordHello, "list": WordList,
	"list csv": WordListCSV, "import": WordImport, "unsubscribe": WordUnsubscribe,
}

// assents are the other words for approve, and only to a proof.
var assents = map[string]bool{"approved": true, "ok": true, "lgtm": true, "stet": true, "looks good": true}

// agreeing are words that people say when they mean approve. They let nothing
// out; they only make the answer name the right word.
var agreeing = []string{"einverstanden", "genehmigt", "freigeben", "freigegeben", "passt", "ja", "oui", "d'accord", "approuvé", "sí", "si",
	"vale", "aprobado", "de acuerdo", "approvato", "va bene", "sim", "aprovado", "akkoord", "goedgekeurd", "godkänd", "godkjent", "godkendt",
	"hyväksytty", "zatwierdzam", "да", "одобряю", "согласен", "okay", "sure", "go", "go ahead", "ship it", "publish", "looks great", "good to go",
	"all good", "fine", "great", "perfect", "send", "send it", "release", "good", "+1", "批准", "同意", "承認", "승인"}
