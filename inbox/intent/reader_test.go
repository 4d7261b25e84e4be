package intent

import (
	"slices"
	"testing"
	"time"
)

// TestReaderMails reads what readers write (the words beside the quote).
func TestReaderMails(t *testing.T) {
	until := time.Date(2022, 9, 1, 0, 0, 0, 0, thursday().Location())
	for _, x := range []struct {
		name string
		m    ReaderMail
		want ReaderReading
	}{
		{"the word over a closing", ReaderMail{Subject: "Re: #130", Own: "unsubscribe\n\nBest, Ada"}, ReaderReading{Word: ReaderUnsubscribe}},
		{"in the subject", ReaderMail{Subject: "Unsubscribe", Own: ""}, ReaderReading{Word: ReaderUnsubscribe}},
		{"in French", ReaderMail{Own: "Bonjour,\n\nDésinscription svp.\n\nMerci !"}, ReaderReading{Word: ReaderUnsubscribe}},
		{"in Russian", ReaderMail{Own: "Отписаться"}, ReaderReading{Word: ReaderUnsubscribe}},
		{"a clear wish", ReaderMail{Own: "Please take me off, thanks for the fish", OnList: true}, ReaderReading{Word: ReaderUnsubscribe, Wish: true, Letter: true}},
		{"a wish in German", ReaderMail{Own: "Bitte nehmen Sie mich von der Liste.", OnList: true}, ReaderReading{Word: ReaderUnsubscribe, Wish: true, Letter: true}},
		{"no longer", ReaderMail{Own: "I no longer want to receive this. Please remove me.", OnList: true}, ReaderReading{Word: ReaderUnsubscribe, Wish: true, Letter: true}},
		{"the same from a stranger", ReaderMail{Own: "Please take me off, and thanks"}, ReaderReading{Letter: true, Note: "Please take me off, and thanks"}},
		{"with a not", ReaderMail{Own: "Please do not take me off, but pause it", OnList: true}, ReaderReading{Letter: true, Note: "Please do not take me off, but pause it"}},
		{"a question", ReaderMail{Own: "Could you please unsubscribe my colleague?", OnList: true}, ReaderReading{Letter: true, Note: "Could you please unsubscribe my colleague?"}},
		{"stop the press", ReaderMail{Own: "Stop the press! Have you seen https://example.org/x ?", OnList: true}, ReaderReading{Links: []string{"https://example.org/x"}, Note: "Stop the press! Have you seen …?"}},
		{"angry", ReaderMail{Own: "I have complained at https://example.org/spam before. Take me off NOW! Do not write again.", OnList: true}, ReaderReading{Word: ReaderUnsubscribe, Wish: true, Letter: true}},
		{"two links, private", ReaderMail{Own: "Loved it. https://a.example and https://b.example. You can't use my name."}, ReaderReading{Links: []string{"https://a.example", "https://b.example"}, Consent: ConsentPrivate, ConsentWords: "You can't use my name.", Note: "Loved it. … and …. You can't use my name."}},
		{"may be named", ReaderMail{Own: "https://a.example You may use my name."}, ReaderReading{Links: []string{"https://a.example"}, Consent: ConsentNamed, ConsentWords: "https://a.example You may use my name.", Note: "You may use my name."}},
		{"on a condition", ReaderMail{Own: "https://a.example\nYou may use my name if you ask me before."}, ReaderReading{Links: []string{"https://a.example"}, Consent: ConsentAnonymous, ConsentWords: "You may use my name if you ask me before.", Note: "You may use my name if you ask me before."}},
		{"thanks beside a link", ReaderMail{Own: "Bonjour,\nhttps://a.example\nMerci"}, ReaderReading{Links: []string{"https://a.example"}}},
		{"a forward with few words", ReaderMail{Subject: "Fwd: Another letter", Own: "see item 3", Forwarded: true}, ReaderReading{Letter: true, Note: "see item 3"}},
		{"subscribe a friend in a forward", ReaderMail{Subject: "Fwd: #130", Own: "subscribe my friend ben@x.example", Forwarded: true}, ReaderReading{Letter: true, Note: "subscribe my friend ben@x.example"}},
		{"subscribe", ReaderMail{Subject: "subscribe"}, ReaderReading{Word: ReaderSubscribe}},
		{"pause", ReaderMail{Own: "pause until september"}, ReaderReading{Word: ReaderPause, Until: until}},
		{"resume", ReaderMail{Own: "Resume please"}, ReaderReading{Word: ReaderResume}},
		{"move", ReaderMail{Own: "move to ada@new.example"}, ReaderReading{Word: ReaderMove, Address: "ada@new.example"}},
		{"quiet", ReaderMail{Own: "quiet"}, ReaderReading{Word: ReaderQuiet}},
		{"forget me", ReaderMail{Own: "Forget me."}, ReaderReading{Word: ReaderForget}},
		{"approve is a word like any other", ReaderMail{Subject: "Re: #130", Own: "approve"}, ReaderReading{Letter: true, Note: "approve"}},
		{"never asked, with a no", ReaderMail{Paper: PaperConfirmation, Own: "No! I never asked for this"}, ReaderReading{Word: ReaderDecline, Letter: true}},
		{"never asked", ReaderMail{Paper: PaperConfirmation, Own: "I never asked for this"}, ReaderReading{Letter: true}},
		{"an empty answer confirms", ReaderMail{Paper: PaperConfirmation, Own: "\n\nSent from my iPhone"}, ReaderReading{Word: ReaderConfirm}},
		{"yes with an excuse", ReaderMail{Paper: PaperConfirmation, Own: "Yes please, sorry, I could not find the button"}, ReaderReading{Word: ReaderConfirm}},
		{"please confirm", ReaderMail{Paper: PaperConfirmation, Own: "Please confirm"}, ReaderReading{Word: ReaderConfirm}},
		{"yes?", ReaderMail{Paper: PaperConfirmation, Own: "Yes?"}, ReaderReading{Letter: true}},
		{"stop to a confirmation", ReaderMail{Paper: PaperConfirmation, Own: "stop"}, ReaderReading{Word: ReaderDecline}},
		{"answer to the farewell", ReaderMail{Paper: PaperFarewell, Own: "About time!"}, ReaderReading{Letter: true, Note: "About time!"}},
		{"back", ReaderMail{Paper: PaperFarewell, Own: "Back, please"}, ReaderReading{Word: ReaderBack}},
		{"back elsewhere", ReaderMail{Own: "back"}, ReaderReading{Letter: true, Note: "back"}},
		{"the word and a letter", ReaderMail{Own: "Unsubscribe\n\nIt was a good time. I liked the piece on masts."}, ReaderReading{Word: ReaderUnsubscribe, Letter: true}},
		{"consent yes as", ReaderMail{Paper: PaperConsent, Own: "yes, as Ada R., My Lab"}, ReaderReading{Consent: ConsentNamed, As: "Ada R., My Lab", ConsentWords: "yes, as Ada R., My Lab"}},
		{"consent no", ReaderMail{Paper: PaperConsent, Own: "No."}, ReaderReading{Consent: ConsentAnonymous, ConsentWords: "No."}},
		{"consent nothing", ReaderMail{Paper: PaperConsent, Own: "nothing"}, ReaderReading{Consent: ConsentPrivate, ConsentWords: "nothing"}},
	} {
		x.m.Now, x.m.Zone = thursday(), thursday().Location()
		got := ReadReader(x.m)
		if got.Word != x.want.Word || got.Wish != x.want.Wish || !got.Until.Equal(x.want.Until) || got.Address != x.want.Address || got.Letter != x.want.Letter ||
			!slices.Equal(got.Links, x.want.Links) || got.Note != x.want.Note || got.Consent != x.want.Consent || got.ConsentWords != x.want.ConsentWords || got.As != x.want.As {
			t.Errorf("%s:\n got %+v\nwant %+v", x.name, got, x.want)
		}
	}
}
