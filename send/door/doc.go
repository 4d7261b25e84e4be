// Package door is where readers come in and go out: who asks for the
// newsletter is asked back, who confirms is welcomed, who leaves is told the
// way back; and what readers may say about their own subscription is done.
//
// It owns the tables request (what somebody asked for and has not confirmed
// yet) and knock (how often an address was asked, as a keyed hash). The people
// themselves are the list's. Ask writes one row in the caller's transaction,
// the same whether the address is known, unknown, suppressed or waiting; Run
// does the rest, so that neither a page nor a mail tells one from the other.
//
// What it promises: nobody is put on the list whose own address has not said
// so; an address is asked at most once in 24 hours and three times until it
// has confirmed, whoever asks and however often; a mail of the door holds
// nothing that its asker wrote; who said no is not asked again; a request
// that nobody confirms is gone after seven days. A token does the one thing
// that it was made for. When the books cannot be written nothing has happened,
// and Run tries again.
package door
