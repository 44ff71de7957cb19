package action

import (
	"slices"
	"strings"
)

// Told reports whether the audit log says what was asked of a: of all that
// changes something, and of what gives out the credentials of a session.
func (a *Action) Told() bool {
	return !a.Reads() || strings.HasPrefix(a.Name, "AssumeRole") || a.Name == "GetSessionToken" || a.Name == "GetFederationToken"
}

// Reads reports whether a changes nothing, by its name.
func (a *Action) Reads() bool {
	return slices.ContainsFunc([]string{"Describe", "Get", "List", "Lookup", "Read", "Search", "Verify", "Explain", "Simulate", "Decode", "AssumeRole", "GenerateCredentialReport"}, func(verb string) bool { return strings.HasPrefix(a.Name, verb) })
}
