package iam

import "karri/shared/action"

// What Karri has not is listed as empty, which is what tools that clear away a
// user or look through an account need to go on.
func init() {
	action.Empty(Catalog, "ListSAMLProviders", "Lists no SAML providers: web identities come from OIDC providers.", nil)
	action.Empty(Catalog, "ListSSHPublicKeys", "Lists no SSH keys of users, which are for a service that Karri has not.", nil)
	action.Empty(Catalog, "ListServiceSpecificCredentials", "Lists no credentials of users for single services, which Karri has not.", nil)
}
