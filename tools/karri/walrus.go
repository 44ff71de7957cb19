package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	verify "karri/walrus/check"
)

// walrusAdmin is where tools/up puts the administrator's port of walrus.
const walrusAdmin = "127.0.0.1:8791"

func walrusCommand(set *settings) *cobra.Command {
	at := walrusAdmin
	if v := os.Getenv("KARRI_WALRUS_ADMIN"); v != "" {
		at = v
	}
	var quick, repair bool
	var age string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Hold walrus's index against its bytes, and the other way",
		Long: `Holds walrus's index against its bytes, and the other way, while it serves.

It finds rows that do not agree with each other, objects whose bytes are missing
or damaged, bytes that no object claims, and sealed objects without their key.
With --repair it corrects claims and counters and removes what nothing claims.
Bytes that are missing or damaged cannot be mended: put those objects again.

It asks walrus on the port that its --admin names, on the host of walrus.
The exit code is 0 when all is well or was mended, else 1.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q := url.Values{}
			for name, set := range map[string]bool{"quick": quick, "repair": repair} {
				if set {
					q.Set(name, "")
				}
			}
			if age != "" {
				q.Set("orphan-age", age)
			}
			return checkWalrus(cmd.Context(), at, q, set.output == "json", os.Stdout)
		},
	}
	cmd.Flags().StringVar(&at, "admin", at, "host:port of walrus's --admin")
	cmd.Flags().BoolVar(&quick, "quick", false, "look only whether bytes are there, without reading them")
	cmd.Flags().BoolVar(&repair, "repair", false, "mend what can be mended")
	cmd.Flags().StringVar(&age, "orphan-age", "", "how old unclaimed bytes must be, such as 10m; walrus's own --orphan-age when not given")
	walrus := &cobra.Command{Use: "walrus", Short: "Look after the bucket store of this host"}
	walrus.AddCommand(cmd)
	return walrus
}

// A checkResult is what --output json prints.
type checkResult struct {
	Report   *verify.Report   `json:"report"`
	Findings []verify.Finding `json:"findings"`
}

func checkWalrus(ctx context.Context, at string, q url.Values, asJSON bool, out io.Writer) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+at+"/check?"+q.Encode(), nil)
	if err != nil {
		return usageError{err}
	}
	r.Header.Set("X-Karri-Admin", "1")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("walrus does not answer at %s (its --admin): %w", at, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(io.LimitReader(res.Body, 1<<10))
		return fmt.Errorf("walrus: %s", strings.TrimSpace(string(b)))
	}
	result, err := readCheck(res.Body)
	if err != nil {
		return err
	}
	if asJSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		err = e.Encode(result)
	} else {
		tellCheck(out, result)
	}
	if left := result.Report.Findings - result.Report.Mended; err == nil && left > 0 {
		err = fmt.Errorf("%d things are wrong", left)
	}
	return err
}

// readCheck reads the lines of a check, and shows how far it is.
func readCheck(from io.Reader) (checkResult, error) {
	result := checkResult{Findings: []verify.Finding{}}
	bar := checkBar()
	defer func() { _ = bar.Finish() }()
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var l verify.Line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return result, fmt.Errorf("walrus's answer cannot be read: %w", err)
		}
		switch {
		case l.Error != "":
			return result, errors.New("walrus: " + l.Error)
		case l.Progress != nil:
			bar.Describe(l.Progress.Step)
			bar.ChangeMax64(max(1, l.Progress.Of))
			_ = bar.Set64(min(l.Progress.Bytes, l.Progress.Of))
		case l.Finding != nil:
			result.Findings = append(result.Findings, *l.Finding)
		case l.Report != nil:
			result.Report = l.Report
			return result, nil
		}
	}
	return result, errors.Join(errors.New("the check broke off"), lines.Err())
}

func checkBar() *progressbar.ProgressBar {
	out := io.Writer(discard{})
	if term.IsTerminal(int(os.Stderr.Fd())) {
		out = os.Stderr
	}
	return progressbar.NewOptions64(1, progressbar.OptionSetWriter(out), progressbar.OptionShowBytes(true), progressbar.OptionClearOnFinish())
}

func tellCheck(out io.Writer, result checkResult) {
	if len(result.Findings) > 0 {
		t := table.NewWriter()
		t.SetOutputMirror(out)
		t.SetStyle(table.StyleLight)
		t.AppendHeader(table.Row{"Kind", "What", "Found", "Mended"})
		for _, f := range result.Findings {
			t.AppendRow(table.Row{f.Kind, f.What, f.Text, f.Mended})
		}
		t.Render()
	}
	r := result.Report
	fmt.Fprintf(out, "%d rows, %d pieces and %d bytes looked at; %d findings, %d mended\n", r.Rows, r.Pieces, r.Bytes, r.Findings, r.Mended)
}
