// Package sts is the public API that tells callers who they are. Each action
// has a file of its own, named after it.
//
// It answers from the verified signature alone and keeps nothing, so a crash
// loses nothing. Actions that give out credentials for a time are known by name
// and refused until accounts have roles.
package sts

import (
	"karri/shared/action"
	"karri/shared/awsmodel"
)

// API holds what the actions need: nothing beyond the caller.
type API struct{}

// Catalog holds every action of this package.
var Catalog = action.NewCatalog[*API]("sts", awsmodel.STS())
