package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
)

// watchEvents shows the stream of events until it is interrupted.
func watchEvents(set *settings) *cobra.Command {
	var subject string
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Show the events of the cloud as they come",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := set.connect()
			if err != nil {
				return err
			}
			in := map[string]any{"Subject": subject, "WaitSeconds": 15}
			for {
				out, err := c.call(cmd.Context(), "karri", "ReadEvents", in)
				if cmd.Context().Err() != nil {
					return nil
				}
				if err != nil {
					return err
				}
				in["After"] = out["Next"]
				if out["Missed"] == true {
					fmt.Fprintln(os.Stderr, "karri: events were missed")
				}
				if err := showEvents(os.Stdout, out, set.output == "json"); err != nil {
					return err
				}
			}
		},
	}
	cmd.Flags().StringVar(&subject, "subject", ">", "pattern of subjects: identity.*, bucket.policy; > is all")
	return cmd
}

// showEvents prints a line for each event.
func showEvents(w io.Writer, out map[string]any, asJSON bool) error {
	list, _ := out["Events"].([]any)
	for _, e := range list {
		m, _ := e.(map[string]any)
		body, _ := m["Body"].(string)
		if !asJSON {
			if _, err := fmt.Fprintf(w, "%s  %s  %s\n", m["Time"], m["Subject"], body); err != nil {
				return err
			}
			continue
		}
		if json.Valid([]byte(body)) {
			m["Body"] = json.RawMessage(body)
		}
		b, err := json.Marshal(m)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "%s\n", b); err != nil {
			return err
		}
	}
	return nil
}
