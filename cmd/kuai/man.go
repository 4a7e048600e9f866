package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// manCommand is for whoever packs kuai: make man.
func (a *app) manCommand() *cobra.Command {
	return &cobra.Command{
		Use: "man FOLDER", Short: "Write the manual pages into a folder", Hidden: true,
		Long:    "Writes one page in man's format for each command, kuai.1, kuai-say.1 and so on. SOURCE_DATE_EPOCH sets\ntheir date.",
		Example: "  kuai man man1\n  man -l man1/kuai-say.1",
		Args:    oneArgument("FOLDER"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return fmt.Errorf("man: %w (name a folder that can be written to)", err)
			}
			root := c.Root()
			root.DisableAutoGenTag = true
			header := &doc.GenManHeader{Title: "KUAI", Section: "1", Source: "kuai " + version, Manual: "kuai"}
			if err := doc.GenManTree(root, header, args[0]); err != nil {
				return fmt.Errorf("man: %w", err)
			}
			pages, err := filepath.Glob(filepath.Join(args[0], "kuai*.1"))
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(map[string]any{"folder": args[0], "pages": len(pages)})
			}
			a.out.line("%d pages in %s", len(pages), args[0])
			return nil
		},
	}
}
