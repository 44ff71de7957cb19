package action

import (
	"cmp"

	"karri/shared/fault"
	"karri/shared/protocol"
)

// jsonCodes are the names that services of the JSON protocol have for what the
// query services call otherwise.
var jsonCodes = map[string]string{
	"AccessDenied":               "AccessDeniedException",
	"AuthFailure":                "AccessDeniedException",
	"UnauthorizedOperation":      "AccessDeniedException",
	"ExpiredToken":               "ExpiredTokenException",
	"IncompleteSignature":        "IncompleteSignatureException",
	"InvalidClientTokenId":       "UnrecognizedClientException",
	"MissingAuthenticationToken": "MissingAuthenticationTokenException",

	"RequestExpired":              "InvalidSignatureException",
	"SignatureDoesNotMatch":       "InvalidSignatureException",
	"InvalidAction":               "UnknownOperationException",
	"MissingAction":               "UnknownOperationException",
	"UnsupportedOperation":        "UnsupportedOperationException",
	"InvalidParameterCombination": "ValidationException",
	"InvalidParameterValue":       "ValidationException",
	"MissingParameter":            "ValidationException",
	"UnknownParameter":            "ValidationException",
	"InvalidNextToken":            "InvalidNextTokenException",
	"InternalError":               "InternalFailure",
	"ServiceUnavailable":          "ServiceUnavailableException",
}

// code is what the service calls a fault in the dialect of the request.
func (s *Service) code(d protocol.Dialect, f *fault.Fault) string {
	if d != protocol.AWSJSON {
		return f.Code
	}
	return cmp.Or(s.codes[f.Code], jsonCodes[f.Code], f.Code)
}
