// Package sdktest runs the vendor's Go client against a walrus. It is a package
// of its own because that client takes long to compile.
package sdktest
