// Command awsmodel trims the public API models to what Karri serves and writes
// the files that shared/awsmodel embeds.
//
// Run it in the repository's root: go run ./tools/awsmodel. It fetches the
// module that ships the models into Go's module cache (it is not a dependency
// of Karri), keeps of each service the names, shapes and traits of the actions
// listed in NAME.txt beside this file, lays NAME.overlay.json over them (members
// that are newer than the module, enumerations that Karri leaves open) and packs
// the result. The same inputs give the same bytes. A crash leaves the old files.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"

	"karri/shared/awsmodel"
)

// source is the module that ships the models, at the version the files are made from.
const source = "github.com/aws/aws-sdk-go@v1.55.8"

var services = []struct{ name, folder string }{
	{"ec2", "ec2/2016-11-15"},
	{"sts", "sts/2011-06-15"},
	{"iam", "iam/2010-05-08"},
	{"cloudtrail", "cloudtrail/2013-11-01"},
	{"servicequotas", "service-quotas/2019-06-24"},
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "awsmodel:", err)
		os.Exit(1)
	}
}

func run() error {
	root, err := fetch()
	if err != nil {
		return err
	}
	for _, s := range services {
		f, err := trim(filepath.Join(root, "models/apis", s.folder), filepath.Join("tools/awsmodel", s.name))
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		packed, err := pack(f)
		if err != nil {
			return err
		}
		to := filepath.Join("shared/awsmodel", s.name+".json.gz")
		if err := renameio.WriteFile(to, packed, 0o644); err != nil {
			return err
		}
		fmt.Printf("%s: %d of %d actions, %d shapes, %d bytes\n", to, len(f.Operations), len(f.Known), len(f.Shapes), len(packed))
	}
	return nil
}

// fetch returns the folder of the source module.
func fetch() (string, error) {
	cmd := exec.Command("go", "mod", "download", "-json", source)
	cmd.Dir = os.TempDir() // outside of any module
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("download %s: %w: %s", source, err, out)
	}
	var got struct{ Dir string }
	return got.Dir, json.Unmarshal(out, &got)
}

// trim reads a model, lays the overlay over it and keeps the listed actions.
func trim(from, ours string) (*awsmodel.File, error) {
	var full awsmodel.File
	if err := readJSON(filepath.Join(from, "api-2.json"), &full); err != nil {
		return nil, err
	}
	if err := overlay(&full, ours+".overlay.json"); err != nil {
		return nil, err
	}
	var pages struct{ Pagination map[string]page }
	if err := readJSON(filepath.Join(from, "paginators-1.json"), &pages); err != nil {
		return nil, err
	}
	wanted, err := lines(ours + ".txt")
	if err != nil {
		return nil, err
	}
	f := &awsmodel.File{
		Metadata: full.Metadata, Operations: map[string]awsmodel.FileOperation{}, Shapes: map[string]awsmodel.FileShape{},
		Known: slices.Sorted(maps.Keys(full.Operations)),
	}
	for _, name := range wanted {
		op, ok := full.Operations[name]
		if !ok {
			return nil, fmt.Errorf("there is no action %s", name)
		}
		f.Operations[name] = op
		for _, ref := range []*awsmodel.FileRef{op.Input, op.Output} {
			keep(&full, f, ref)
		}
		if p := pages.Pagination[name]; p.InputToken != "" {
			f.Paged = append(f.Paged, name)
		}
	}
	slices.Sort(f.Paged)
	return f, nil
}

type page struct {
	InputToken string `json:"input_token"`
}

// keep copies the shape that ref names, and all that it uses.
func keep(full, f *awsmodel.File, ref *awsmodel.FileRef) {
	if ref == nil {
		return
	}
	if _, done := f.Shapes[ref.Shape]; done {
		return
	}
	s := full.Shapes[ref.Shape]
	f.Shapes[ref.Shape] = s
	for _, m := range s.Members {
		keep(full, f, &m)
	}
	for _, m := range []*awsmodel.FileRef{s.Member, s.Key, s.Value} {
		keep(full, f, m)
	}
}

// overlay adds members and whole shapes to the model, and opens enumerations.
func overlay(full *awsmodel.File, name string) error {
	var over struct {
		Open   []string // enumerations that take any value
		Shapes map[string]awsmodel.FileShape
	}
	if err := readJSON(name, &over); err != nil {
		return err
	}
	for _, name := range over.Open {
		s, ok := full.Shapes[name]
		if !ok || s.Enum == nil {
			return fmt.Errorf("overlay: %s is no enumeration", name)
		}
		s.Enum = nil
		full.Shapes[name] = s
	}
	for name, add := range over.Shapes {
		s, ok := full.Shapes[name]
		if !ok {
			full.Shapes[name] = add
			continue
		}
		maps.Copy(s.Members, add.Members)
		s.Enum = append(s.Enum, add.Enum...)
	}
	return nil
}

func pack(f *awsmodel.File) ([]byte, error) {
	b, err := json.Marshal(f)
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	z, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(b); err != nil {
		return nil, err
	}
	err = z.Close()
	return buf.Bytes(), err
}

func readJSON(name string, to any) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, to); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// lines returns the lines of a list, without comments and blanks.
func lines(name string) ([]string, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var out []string
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			out = append(out, line)
		}
	}
	return out, nil
}
