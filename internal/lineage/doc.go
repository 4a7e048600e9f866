// Package lineage keeps the versions of something that is learned, in one folder:
//
//	v1/ v2/ …       what each is made of, and its lineage.json: what it came from
//	current → v2    a link to the one that is in use
//
// A new version is made in a folder of its own and becomes current in one step, so
// that a crash leaves the one before in use; going back is as short. Versions are
// never overwritten and their numbers not used again.
//
// Who reads the folder while another writes it sees one version or the other. Two
// that write at once are told apart by the file system: the second fails.
package lineage
