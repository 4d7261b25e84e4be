// Package picture makes the pictures that an editor attaches fit for mail.
//
// It owns no data and never touches disk, network or clock: the same octets
// always give the same picture. JPEG, PNG, GIF and WebP come in; JPEG, PNG and
// GIF go out, since not every mail program shows WebP. What is decoded is
// written anew, so nothing of a file's metadata (places, cameras, thumbnails,
// comments) reaches a reader; the turn that a camera noted is carried out first,
// and the colour profile of a JPEG is kept.
//
// It also draws the chart of the reports, from figures alone.
//
// What it promises when things fail: a file that is no picture, is cut short or
// would unpack to more than the limits is an *Unreadable with a sentence for the
// editor. The limits hold before anything is unpacked.
package picture
