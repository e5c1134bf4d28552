//! Checks a value against one of our JSON schemas. What a schema says in words that are not known here fails too.

use serde_json::Value;

/// Words that say something to people.
const FOR_PEOPLE: [&str; 4] = ["$schema", "$defs", "title", "description"];

/// Panics where `value` is not what the schema says.
#[track_caller]
pub(crate) fn assert_valid(schema: &Value, value: &Value) {
    if let Err(fault) = check(schema, schema, value, "$") {
        panic!("{fault}");
    }
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    for (word, says) in schema.as_object().unwrap() {
        let fits = match word.as_str() {
            "$ref" => {
                let name = says.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                check(root, &root["$defs"][name], value, at)?;
                true
            }
            "type" => match says {
                Value::Array(types) => types.iter().any(|one| is_of(one, value)),
                one => is_of(one, value),
            },
            "const" => says == value,
            "enum" => says.as_array().unwrap().contains(value),
            "minimum" => value.as_f64().is_none_or(|number| number >= says.as_f64().unwrap()),
            "oneOf" => {
                let all = says.as_array().unwrap().iter().map(|one| check(root, one, value, at));
                let (good, bad): (Vec<_>, Vec<_>) = all.partition(Result::is_ok);
                if good.len() != 1 {
                    return Err(format!("{at} fits {} of several: {bad:?}", good.len()));
                }
                true
            }
            "required" => says.as_array().unwrap().iter().all(|name| value.get(name.as_str().unwrap()).is_some()),
            "properties" => {
                for (name, member) in value.as_object().into_iter().flatten() {
                    if let Some(schema) = says.get(name) {
                        check(root, schema, member, &format!("{at}.{name}"))?;
                    }
                }
                true
            }
            "additionalProperties" => {
                assert_eq!(says, &Value::Bool(false));
                value.as_object().into_iter().flatten().all(|(name, _)| schema["properties"].get(name).is_some())
            }
            "items" => {
                for (number, element) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, says, element, &format!("{at}[{number}]"))?;
                }
                true
            }
            other => FOR_PEOPLE.contains(&other),
        };
        if !fits {
            return Err(format!("{at}: {word} {says} is not so of {value}"));
        }
    }
    Ok(())
}

fn is_of(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("the type {other}"),
    }
}
