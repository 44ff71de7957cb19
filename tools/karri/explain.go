package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"karri/shared/action"
)

// explainCommand tells of one thing what is wanted, what is seen, what was
// tried, what failed and what is waited for, tier by tier.
func explainCommand(set *settings) *cobra.Command {
	explain := &cobra.Command{
		Use:   "explain ID",
		Short: "Tell why an instance, volume, snapshot, image or node is in its state",
		Long: `Tell why an instance, volume, snapshot, image or node is in its state: what is wanted, seen, tried, and
waited for, tier by tier. "master-key" is what of a change of the master key is waited for.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := set.connect()
			if err != nil {
				return err
			}
			out, err := c.call(cmd.Context(), "karri", "Explain", map[string]any{"Id": args[0]})
			if err != nil {
				return err
			}
			if set.output == "json" {
				return set.print(os.Stdout, "explanation", action.ManualPage{}, out)
			}
			tiers, _ := out["Tiers"].([]any)
			for _, t := range tiers {
				fmt.Println(at(t, "Tier"))
				m, _ := t.(map[string]any)
				lines, _ := m["Lines"].([]any)
				for _, l := range lines {
					fmt.Println("  " + fmt.Sprint(l))
				}
			}
			return nil
		},
	}
	explain.AddCommand(deniedCommand(set))
	return explain
}

// deniedCommand tells why a request was refused, by the id that its answer had.
func deniedCommand(set *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "denied REQUEST-ID",
		Short: "Tell why a request was refused, and which statement of which policy decided",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := set.connect()
			if err != nil {
				return err
			}
			out, err := c.call(cmd.Context(), "karri", "ExplainDenied", map[string]any{"RequestId": args[0]})
			if err != nil {
				return err
			}
			if set.output == "json" {
				return set.print(os.Stdout, "explanation", action.ManualPage{}, out)
			}
			fmt.Printf("%v %v\n%v asked for %v\n%v: %v\n", at(out, "Time"), at(out, "Daemon"), at(out, "Caller"), at(out, "Action"), at(out, "Code"), at(out, "Message"))
			lines, _ := out["Lines"].([]any)
			for _, l := range lines {
				fmt.Println("  " + fmt.Sprint(l))
			}
			return nil
		},
	}
}
