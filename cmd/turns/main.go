// Command turns measures kuai in turns with another program: it loads a model,
// prints "ready", and then, for each line of its standard input, computes once
// and prints one line of JSON (turns.Turn). scripts/peers drives it and its
// peers.
//
//	turns tower FOLDER
//	turns [-threads N] [-precision P] encode FOLDER PICTURE
//	turns [-threads N] prefill|decode FILE
//	turns [-threads N] [-precision P] asr FOLDER CLIP
//	turns [-threads N] [-precision P] wer FOLDER RECORDINGS
//	turns score < TEXTS
//
// score counts the errors of an array of texts, one for each of the RECORDINGS
// that internal/turns lists, with no model. tower writes the random weights that encode and its peers load. PICTURE is
// 224×224 of raw RGB, CLIP at most 3 seconds of 16 kHz, 16 bits, mono.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/kuai-robot/kuai/internal/turns"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "turns:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	var w turns.Work
	flags := flag.NewFlagSet("turns", flag.ContinueOnError)
	flags.StringVar(&w.Precision, "precision", "stored", "stored, f32, bf16 or int8")
	flags.IntVar(&w.Threads, "threads", 0, "0: as many as the process may use")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.Arg(0) == "tower" && flags.NArg() == 2 {
		return turns.WriteTower(flags.Arg(1))
	}
	if flags.Arg(0) == "score" && flags.NArg() == 1 {
		return turns.WriteScore(os.Stdin, os.Stdout)
	}
	if flags.NArg() < 2 || flags.NArg() > 3 {
		return errors.New("want WORK MODEL [INPUT] (see go doc ./cmd/turns)")
	}
	w.Kind, w.Model, w.Input = flags.Arg(0), flags.Arg(1), flags.Arg(2)
	t, err := turns.Open(w)
	if err != nil {
		return err
	}
	return errors.Join(t.Serve(context.Background(), os.Stdin, os.Stdout), t.Close())
}
