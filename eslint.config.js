import js from "@eslint/js"
import globals from "globals"

export default [
  { ignores: ["node_modules/", ".venv/", "**/*.d.ts"] },
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: "latest", sourceType: "module", globals: globals.browser },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "no-var": "error",
      "prefer-const": "error",
      "no-shadow": ["error", { builtinGlobals: false }],
      eqeqeq: "error",
      "max-len": ["error", { code: 120, ignoreTemplateLiterals: false }],
      "max-lines-per-function": ["error", { max: 60, skipComments: true, skipBlankLines: true }],
      complexity: ["error", 20],
      "no-restricted-syntax": [
        "error",
        { selector: "AssignmentExpression[left.property.name=/^(inner|outer)HTML$/]", message: "Text from data is set as text." },
        { selector: "CallExpression[callee.property.name='insertAdjacentHTML']", message: "Text from data is set as text." },
      ],
    },
  },
  { files: ["tests/js/**", "eslint.config.js"], languageOptions: { globals: globals.node } },
]
