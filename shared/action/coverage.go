package action

import (
	"maps"
	"slices"
)

// A Coverage says how a service answers an action of the public one.
type Coverage struct {
	Action string
	State  string // served, empty (a read of a feature that Karri has not), unsupported
}

// Coverage lists every action of the public service, in order of name.
func (s *Service) Coverage() []Coverage {
	var all []Coverage
	for _, name := range slices.Sorted(maps.Keys(s.Model.Known)) {
		state := "unsupported"
		if a := s.actions[name]; a != nil && a.Empty {
			state = "empty"
		} else if a != nil {
			state = "served"
		}
		all = append(all, Coverage{name, state})
	}
	return all
}
