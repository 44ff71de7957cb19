package standing

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"karri/cloudctl/admin"
	"karri/cloudctl/cloudtrail"
	ours "karri/cloudctl/ec2"
	ourIAM "karri/cloudctl/iam"
	"karri/cloudctl/servicequotas"
	ourSTS "karri/cloudctl/sts"
	"karri/shared/action"
	"karri/shared/audit"
)

// mayBeSecret are names of texts that somebody has to look at.
var mayBeSecret = regexp.MustCompile(`(?i)pass|secret|token|key|code|data|private|credential|seed|material|assertion|url|message|nonce|pin$`)

// noSecrets are those that somebody has looked at, and that are written into
// the audit log as they are.
var noSecrets = []string{
	"AccessKeyId", "ClientToken", "KeyName", "KeyPairId", "KeyType", "KeyFormat", "Key", "Keys", "TagKeys", "TransitiveTagKeys", "PublicKeyMaterial", "S3KeyPrefix",
	"PrivateIpAddress", "PrivateDnsHostnameTypeOnLaunch", "HttpTokens", "QuotaCode", "ServiceCode", "HttpEndpoint", "Marker", "SecondaryPrivateIpAddressCount",
	"Url", // of webhooks the host alone; of a provider of identities it is public
}

// Each text that a request may hold is either known to be no secret or hidden
// in the audit log: a new one has to be looked at.
func TestEachParameterThatMayBeASecretIsHiddenOrWasLookedAt(t *testing.T) {
	hidden := map[string]bool{}
	for _, all := range [][]*action.Action{ours.Catalog.All(), ourIAM.Catalog.All(), ourSTS.Catalog.All(), cloudtrail.Catalog.All(), servicequotas.Catalog.All(), admin.Catalog.All()} {
		for _, a := range all {
			if a.Told() {
				texts(a.In, 0, func(name string) {
					switch {
					case audit.Secret(name):
						hidden[name] = true
					case mayBeSecret.MatchString(name) && !slices.Contains(noSecrets, name):
						t.Errorf("%s: is %s a secret? Hide it (audit.Secret) or name it among those that are none", a.Name, name)
					}
				})
			}
		}
	}
	for _, name := range []string{"Password", "OldPassword", "NewPassword", "PrivateKey", "UserData", "WebIdentityToken", "TokenCode", "AuthenticationCode1", "Secret"} {
		if !hidden[name] {
			t.Errorf("%s is not hidden, or nothing has it any more", name)
		}
	}
}

// texts calls f for all texts in a type.
func texts(t reflect.Type, depth int, f func(name string)) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || depth > 6 || strings.HasPrefix(t.PkgPath(), "time") {
		return
	}
	for i := range t.NumField() {
		one := t.Field(i)
		of := one.Type
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice && of.Elem().Kind() != reflect.Uint8 {
			of = of.Elem()
		}
		if of.Kind() == reflect.String || of.Kind() == reflect.Slice || of.Kind() == reflect.Struct && audit.Secret(one.Name) {
			f(one.Name)
		}
		texts(of, depth+1, f)
	}
}
