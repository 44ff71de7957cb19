// Command coverage prints which actions of the public APIs Karri serves, which
// reads it answers with an empty list, and how many it refuses by name.
//
// The table comes from the same definitions that the daemon serves, so it
// cannot differ from what is there.
package main

import (
	"fmt"

	"karri/cloudctl/cloudtrail"
	"karri/cloudctl/ec2"
	"karri/cloudctl/iam"
	"karri/cloudctl/servicequotas"
	"karri/cloudctl/sts"
	"karri/shared/action"
	"karri/walrus/s3"
)

func main() {
	for _, s := range []*action.Service{ec2.Catalog.With(nil), iam.Catalog.With(nil), sts.Catalog.With(nil), servicequotas.Catalog.With(nil), cloudtrail.Catalog.With(nil)} {
		show(s)
	}
	fmt.Printf("# s3 2006-03-01\n\n## served: %d\n\n", len(s3.Names()))
	for _, name := range s3.Names() {
		fmt.Printf("- %s\n", name)
	}
}

func show(s *action.Service) {
	byState := map[string][]string{}
	all := s.Coverage()
	for _, c := range all {
		byState[c.State] = append(byState[c.State], c.Action)
	}
	fmt.Printf("# %s %s: %d actions\n", s.Name, s.Model.Version, len(all))
	for _, state := range []string{"served", "empty", "unsupported"} {
		names := byState[state]
		fmt.Printf("\n## %s: %d\n\n", state, len(names))
		for _, name := range names {
			fmt.Printf("- %s\n", name)
		}
	}
}
